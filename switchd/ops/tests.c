#include <errno.h>

#include "ops/inner.h"

/* Tests that a worker makes: how a routing gateway answers OPTIONS, and a call through it. */

static int read_number(const struct request *r, const char *name, char *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, name, &text))
		return 0;
	if (text.n > NUMBER_MAX || str_has_control(buf_str(&text)) ||
	    str_chr(buf_str(&text), ' ') >= 0)
		return err_set(err, ERR_BAD_VALUE, name, buf_str(&text), "up to 40 digits",
			       "not a number");
	return str_copy(ret, NUMBER_MAX + 1, buf_str(&text));
}

static int read_gateway(const struct ops *o, const struct request *r, const char *name,
			struct ask_test *t, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = arg_need(r, name, &text, err);

	if (error < 0)
		return error;
	if (str_copy(t->gateway, sizeof(t->gateway), buf_str(&text)) < 0 ||
	    !world_vendor(catalog_world(o->catalog), t->gateway))
		return err_set(err, ERR_NOT_FOUND, name, buf_str(&text),
			       "the name of a routing gateway", "there is no such routing gateway");
	return 0;
}

static int read_int(const struct request *r, const char *name, int64_t min, int64_t max,
		    int64_t absent, int *ret, struct err *err)
{
	int64_t n;
	int error = arg_int(r, name, min, max, absent, &n, err);

	if (error == 0)
		*ret = (int)n;
	return error;
}

int routing_gateway_test(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct ask a = { .kind = ASK_TEST_GATEWAY };
	int error = read_gateway(o, r, "name", &a.test, err);

	(void)ret;
	if (error == 0)
		error = read_int(r, "count", 1, 20, 5, &a.test.count, err);
	return error < 0 ? error : ask_one_worker(o, r, &a, err);
}

int read_way(const struct request *r, struct addr *ret, enum proto *ret_proto, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int error = arg_need(r, "address", &text, err);
	enum proto proto = PROTO_UDP;

	if (error < 0)
		return error;
	if (arg_text(r, "transport", &name))
		while (proto < PROTO_COUNT && !str_eq(buf_str(&name), str_of(proto_name(proto))))
			proto++;
	if (proto == PROTO_COUNT)
		return err_set(err, ERR_BAD_VALUE, "transport", buf_str(&name), "udp, tcp or tls",
			       "there is no such transport");
	if (addr_parse(buf_str(&text), proto_port(proto), ret) < 0)
		return err_set(err, ERR_BAD_VALUE, "address", buf_str(&text),
			       "an IP address, or one with a port", "not an address");
	*ret_proto = proto;
	return 0;
}

int network_test(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct ask a = { .kind = ASK_TEST_ADDRESS };
	int error = read_way(r, &a.test.address, &a.test.proto, err);

	(void)ret;
	if (error == 0)
		error = read_int(r, "count", 1, 20, 5, &a.test.count, err);
	return error < 0 ? error : ask_one_worker(o, r, &a, err);
}

int call_test(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct ask a = { .kind = ASK_TEST_CALL };
	int error = read_gateway(o, r, "gateway", &a.test, err);

	(void)ret;
	if (error == 0)
		error = read_number(r, "callee", a.test.callee, err);
	if (error == 0)
		error = read_number(r, "caller", a.test.caller, err);
	if (error == 0)
		error = read_int(r, "ring", 1, 120, 30, &a.test.ring_s, err);
	if (error == 0)
		error = read_int(r, "talk", 0, 60, 3, &a.test.talk_s, err);
	if (error == 0 && atomic_load(&o->hub->draining))
		error = err_set(err, ERR_CONFLICT, "", STR(""), "the same after the restart",
				"switchd is stopping");
	return error < 0 ? error : ask_one_worker(o, r, &a, err);
}
