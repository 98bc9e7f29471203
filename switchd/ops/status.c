#include <errno.h>
#include <stdio.h>

#include "ops/inner.h"

struct sums {
	uint64_t invites, admitted, answered, refused, unknown_source, hold_ms, ended, pdd_ms,
		pdd_count, auth_failures, to_differs;
};

static void add_up(const struct hub *h, struct sums *s)
{
	for (int i = 0; i < h->workers; i++) {
		const struct worker_stats *w = &h->stats[i];
		const struct {
			uint64_t *to;
			const _Atomic uint64_t *from;
		} all[] = { { &s->invites, &w->invites },
			    { &s->admitted, &w->admitted },
			    { &s->answered, &w->answered },
			    { &s->refused, &w->refused },
			    { &s->unknown_source, &w->unknown_source },
			    { &s->hold_ms, &w->hold_ms },
			    { &s->ended, &w->ended },
			    { &s->pdd_ms, &w->pdd_ms },
			    { &s->pdd_count, &w->pdd_count },
			    { &s->auth_failures, &w->auth_failures },
			    { &s->to_differs, &w->to_differs } };

		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			*all[k].to += atomic_load_explicit(all[k].from, memory_order_relaxed);
	}
}

/* "58.3": a share in percent with one decimal, in whole numbers. */
static json_t *percent(uint64_t part, uint64_t whole)
{
	char text[32];
	uint64_t tenths = whole ? (part * 1000 + whole / 2) / whole : 0;

	if (!whole)
		return json_null();
	(void)snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)(tenths / 10),
		       (unsigned long long)(tenths % 10));
	return json_string(text);
}

static json_t *ledger_json(struct ledger *l)
{
	struct ledger_stats s;

	ledger_stats(l, &s);
	return json_pack("{s:b s:I s:I s:I s:I s:I s:s}", "up", ledger_is_up(l), "commits",
			 (json_int_t)s.commits, "booked", (json_int_t)s.booked, "failed",
			 (json_int_t)s.failed_commits, "waiting", (json_int_t)s.waiting, "outbox",
			 (json_int_t)s.outbox, "error", s.error);
}

static json_t *phones_json(const struct ops *o)
{
	uint64_t gone = 0, kept_alive = 0, not_kept = 0;

	for (int i = 0; i < o->hub->workers; i++) {
		const struct registrar_stats *s = &o->hub->stats[i].registrar;

		gone += atomic_load_explicit(&s->gone, memory_order_relaxed);
		kept_alive += atomic_load_explicit(&s->kept_alive, memory_order_relaxed);
		not_kept += atomic_load_explicit(&s->not_kept, memory_order_relaxed);
	}
	/* Every worker has a whole copy. */
	return json_pack("{s:I s:I s:I s:I}", "contacts",
			 (json_int_t)atomic_load(&o->hub->stats[0].registrar.contacts), "gone",
			 (json_int_t)gone, "kept_alive", (json_int_t)kept_alive, "not_kept",
			 (json_int_t)not_kept);
}

int status_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct sums s = { 0 };
	struct media_totals m;
	json_t *j;

	(void)r;
	(void)err;
	add_up(o->hub, &s);
	media_totals(o->hub->media, &m);
	alarms_look(o);
	j = json_pack("{s:s s:I s:i s:b s:i s:i s:I s:I s:I s:I s:I s:I s:I}", "version",
		      TANDEM_VERSION, "uptime_s",
		      (json_int_t)((clock_mono_ms() - o->started_mono) / 1000), "workers",
		      o->hub->workers, "draining", atomic_load(&o->hub->draining), "calls",
		      (int)atomic_load(&o->hub->calls), "cps", (int)o->cps, "invites",
		      (json_int_t)s.invites, "admitted", (json_int_t)s.admitted, "answered",
		      (json_int_t)s.answered, "refused", (json_int_t)s.refused, "unknown_sources",
		      (json_int_t)s.unknown_source, "auth_failures", (json_int_t)s.auth_failures,
		      "to_differs", (json_int_t)s.to_differs);
	if (!j)
		return -ENOMEM;
	license_put(o, j);
	(void)json_object_set_new(j, "asr", percent(s.answered, s.admitted));
	(void)json_object_set_new(j, "acd_s",
				  s.ended ? json_integer((json_int_t)(s.hold_ms / s.ended / 1000))
					  : json_null());
	(void)json_object_set_new(j, "pdd_ms",
				  s.pdd_count ? json_integer((json_int_t)(s.pdd_ms / s.pdd_count))
					      : json_null());
	(void)json_object_set_new(j, "rtp_packets", json_integer((json_int_t)m.packets));
	(void)json_object_set_new(j, "rtp_refused", json_integer((json_int_t)m.refused));
	(void)json_object_set_new(j, "relays", json_integer(m.relays));
	(void)json_object_set_new(j, "phones", phones_json(o));
	(void)json_object_set_new(j, "ledger", ledger_json(o->hub->ledger));
	(void)json_object_set_new(j, "alarms", json_integer(alarms_count(o->alarms)));
	*ret = j;
	return 0;
}

static json_t *stored_json(struct str text)
{
	json_t *j = text.p ? json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL) : NULL;

	return j ? j : json_null();
}

int log_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	json_t *list = json_array();
	int64_t limit, after;
	char at[CLOCK_TEXT];
	int error = arg_int(r, "limit", 1, 1000000, 100, &limit, err);

	if (error == 0)
		error = arg_int(r, "after", 1, INT64_MAX, INT64_MAX, &after, err);
	if (error == 0)
		error = stmt_prepare(
			&s, o->db,
			"SELECT id, at, who, operation, key, before, after FROM system_log"
			" WHERE id < ? ORDER BY id DESC LIMIT ?");
	if (error == 0) {
		stmt_bind_int(s, 1, after);
		stmt_bind_int(s, 2, limit);
	}
	while (error == 0 && (error = stmt_step(s)) == 1) {
		json_t *row = json_pack(
			"{s:I s:s s:o s:o s:o s:o s:o}", "id", (json_int_t)stmt_int(s, 0), "at",
			clock_text(stmt_int(s, 1), at), "who", json_of_text(stmt_text(s, 2)),
			"operation", json_of_text(stmt_text(s, 3)), "key",
			json_of_text(stmt_text(s, 4)), "before", stored_json(stmt_text(s, 5)),
			"after", stored_json(stmt_text(s, 6)));

		error = json_array_append_new(list, row) == 0 ? 0 : -ENOMEM;
	}
	if (error == 0)
		*ret = list;
	else
		json_decref(list);
	return error;
}
