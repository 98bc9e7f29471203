#include <errno.h>

#include "call/identify.h"
#include "call/suspend.h"
#include "ops/inner.h"

/*
 * `registration explain`: what a REGISTER would be told, by the checks that one passes (call/identify.c, phone/registrar.h), its
 * password taken for right. It asks nobody and changes nothing.
 */

enum { REGISTERED = 200, REFUSED = 403 };

static const char same[] = "it is told what a wrong password is told";

static bool is_suspended(const struct ops *o, const struct source *s, const struct flow *f,
			 struct trail *t)
{
	const struct params *p = catalog_world(o->catalog)->params;

	if (!suspend_is_on(o->hub->suspend, source_user(s), &f->peer, clock_mono_ms()))
		return false;
	trail_add(t, "suspension", "refuse",
		  "%lld wrong passwords in a row from there (SS_AUTHENTICATION_MAX_RETRY), for "
		  "%lld s each (SS_AUTHENTICATION_FAILED_SUSPEND): %s",
		  (long long)param_int(p, PARAM_SS_AUTHENTICATION_MAX_RETRY),
		  (long long)param_int(p, PARAM_SS_AUTHENTICATION_FAILED_SUSPEND), same);
	return true;
}

static int explain(struct ops *o, const struct source *s, const struct flow *f, struct trail *t)
{
	const struct params *p = catalog_world(o->catalog)->params;
	CLEANUP(buf_done) struct buf user = BUF_INIT;
	const char *hindrance = identify_hindrance(s, f);

	trail_add(t, "user", "ok", "%s %s, account %s", s->phone ? "phone" : "mapping gateway",
		  s->row->name, s->row->account);
	if (hindrance) {
		trail_add(t, "way", "refuse", "%s: %s", hindrance, same);
		return REFUSED;
	}
	trail_add(t, "way", "ok", "it may come from there, by %s", proto_name(f->proto));
	if (is_suspended(o, s, f, t))
		return REFUSED;
	if (atomic_load(&s->gate->wrong.is_stopped))
		trail_add(t, "suspension", "ok",
			  "so many wrong passwords that each source is heard once a second");
	trail_add(t, "lifetime", "ok", "%lld s at the most, behind NAT %lld s",
		  (long long)param_int(p, PARAM_SS_ENDPOINT_EXPIRE),
		  (long long)param_int(p, PARAM_SS_ENDPOINT_NAT_EXPIRE));
	buf_put(&user, source_user(s));
	if (buf_cstr(&user) && registration_is_live(o, buf_cstr(&user)))
		trail_add(t, "registered", "ok", "it is now; %s",
			  param_bool(p, PARAM_SS_ENDPOINT_REGISTER_REPLACE)
				  ? "a new contact takes the place of the old ones "
				    "(SS_ENDPOINT_REGISTER_REPLACE)"
				  : "another device is refused while that lasts "
				    "(SS_ENDPOINT_REGISTER_REPLACE)");
	return REGISTERED;
}

int registration_explain(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf user = BUF_INIT;
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;
	struct trail t = { 0 };
	struct flow f = { 0 };
	enum proto proto;
	int error = arg_need(r, "user", &user, err);

	if (error == 0)
		error = read_way(r, &f.peer, &proto, err);
	if (error != 0)
		return error;
	f.proto = (uint8_t)proto;

	const struct source *s = world_digest_user(catalog_world(o->catalog), buf_str(&user));
	int code = s ? explain(o, s, &f, &t) : REFUSED;

	if (!s)
		trail_add(&t, "user", "refuse",
			  "neither a phone nor a gateway with auth=password has this name: %s",
			  same);

	struct str steps = trail_text(&t, &scratch);
	json_t *list = steps.p ? json_loadb(steps.p, steps.n, 0, NULL) : NULL;

	trail_done(&t);
	*ret = json_pack("{s:s s:i s:s s:o}", "verdict", code == REGISTERED ? "ok" : "refused",
			 "sip_code", code, "user", buf_cstr(&user), "steps",
			 list ? list : json_array());
	return *ret ? 0 : -ENOMEM;
}
