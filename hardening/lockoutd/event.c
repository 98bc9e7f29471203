#include "event.h"

#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "model/json.h"

enum { VERSION = 1 };

static const char *const event_names[] = {
#define EVENT_NAME(id, name) [EVENT_##id] = (name),
	EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

static const char *const proof_names[] = {
#define PROOF_NAME(id, name) [PROOF_##id] = (name),
	PROOFS(PROOF_NAME)
#undef PROOF_NAME
};

const char *event_name(enum event_kind k)
{
	return event_names[k];
}

const char *proof_name(enum proof p)
{
	return proof_names[p];
}

/* Index of the text in a list of names, or n. */
static int find(const json_t *v, const char *const *names, int n)
{
	struct str s = str_of(json_string_value(v));
	int i = 0;

	while (i < n && !str_eq(s, str_of(names[i])))
		i++;
	return i;
}

/* Absent is empty, too long is cut; anything but a text is refused. */
static int take_text(const json_t *o, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(o, name);
	struct buf b = buf_fixed(out, size - 1);

	if (v && !json_is_string(v))
		return -EINVAL;
	buf_put_printable(&b,
			  str_head(str_n(json_string_value(v), json_string_length(v)), size - 1));
	out[b.n] = '\0';
	return 0;
}

static int take_source(const json_t *o, struct event *e)
{
	const json_t *src = json_object_get(o, "src");

	if (addr_parse(str_of(json_string_value(src)), 0, &e->src) < 0)
		return -EINVAL;
	addr_set_port(&e->src, 0);
	return 0;
}

static int take_count(const json_t *o, struct event *e)
{
	const json_t *v = json_object_get(o, "count");
	json_int_t n = v ? json_integer_value(v) : 1;

	if (n < 1 || n > EVENT_COUNT_MAX)
		return -EINVAL;
	e->count = (uint32_t)n;
	return 0;
}

static int take(const json_t *o, struct event *e)
{
	const json_t *proof = json_object_get(o, "proof");

	if (json_integer_value(json_object_get(o, "v")) != VERSION)
		return -EINVAL;
	e->kind = (enum event_kind)find(json_object_get(o, "event"), event_names, EVENT_COUNT);
	e->proof = proof ? (enum proof)find(proof, proof_names, PROOF_COUNT) : PROOF_NONE;
	if (e->kind >= EVENT_SSH_FAILED || e->proof == PROOF_COUNT)
		return -EINVAL;
	if (e->kind != EVENT_CONFIG_CHANGED && take_source(o, e) < 0)
		return -EINVAL;
	if (take_count(o, e) < 0 || take_text(o, "proto", e->proto, sizeof(e->proto)) < 0 ||
	    take_text(o, "account", e->account, sizeof(e->account)) < 0)
		return -EINVAL;
	return take_text(o, "detail", e->detail, sizeof(e->detail));
}

int event_parse(struct str datagram, struct event *ret)
{
	struct event e = { .kind = EVENT_COUNT };

	if (datagram.n > EVENT_BYTES_MAX)
		return -EINVAL;
	CLEANUP(json_decref)
	json_t *o = json_loadb(datagram.p, datagram.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o) || take(o, &e) < 0)
		return -EINVAL;
	*ret = e;
	return 0;
}
