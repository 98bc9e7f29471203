#include <jansson.h>

#include "call/inner.h"
#include "call/knocks.h"
#include "model/json.h"

static const char *state_name(const struct call *c)
{
	switch (c->state) {
	case CALL_HUNTING:
		return c->callee && c->callee->stage >= TRY_RINGING ? "ringing" : "trying";
	case CALL_COMMITTING:
		return "answering";
	case CALL_UP:
		return call_is_held(c) ? "on hold" : "connected";
	case CALL_OVER:
		break;
	}
	return "over";
}

static void put_media(json_t *o, const struct relay *relay, enum side s, const char *name)
{
	struct relay_stats st;

	relay_stats(relay, s, &st);
	(void)json_object_set_new(o, name,
				  json_pack("{s:I s:I s:I s:I s:i s:i}", "packets_in",
					    (json_int_t)st.packets_in, "packets_out",
					    (json_int_t)st.packets_out, "lost", (json_int_t)st.lost,
					    "refused", (json_int_t)st.refused, "jitter_us",
					    (int)st.jitter_us, "mos", (int)st.mos_100));
}

static json_t *call_json(const struct call *c, bool is_whole)
{
	json_t *o = row_to_json(&entities[ENTITY_CDR], c->cdr);
	char held[MONEY_TEXT];
	const char *key;
	json_t *v;
	void *tmp;

	if (!o)
		return NULL;
	(void)json_object_set_new(o, "state", json_string(state_name(c)));
	(void)json_object_set_new(o, "held", json_string(money_text(c->q.price.held, held)));
	if (c->state == CALL_UP)
		(void)json_object_set_new(o, "hold_ms",
					  json_integer(c->worker->loop.now_ms - c->answer_mono));
	/* What only the end fills is not shown before the end. */
	json_object_foreach_safe(o, tmp, key, v)
	{
		if (json_is_null(v))
			(void)json_object_del(o, key);
	}
	if (is_whole)
		(void)json_object_set_new(o, "on_hold", json_boolean(call_is_held(c)));
	if (is_whole && c->relay) {
		put_media(o, c->relay, SIDE_CALLER, "caller_media");
		put_media(o, c->relay, SIDE_CALLEE, "callee_media");
	}
	return o;
}

/* Takes it. */
static char *as_text(json_t *j)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	return text;
}

char *show_calls(struct worker *w)
{
	json_t *list = json_array();
	struct hnode *it;

	HTAB_EACH (it, &w->calls) {
		const struct call *c = CONTAINER(it, struct call, by_id);

		if (c->state != CALL_OVER)
			(void)json_array_append_new(list, call_json(c, false));
	}
	return as_text(list);
}

char *show_knocks(struct worker *w)
{
	return as_text(knocks_json(w->knocks));
}

char *show_call(struct worker *w, int64_t id)
{
	const struct call *c = call_find(w, id);

	return as_text(c && c->state != CALL_OVER ? call_json(c, true) : NULL);
}
