#include "call/knocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "call/inquiry.h"
#include "sip/msg.h"

enum { WAYS = 8, SETS = KNOCKS / WAYS, WORD_MAX = 16, PROGRAM_MAX = 64 };

struct knock {
	struct addr peer; /* not set: free */
	uint8_t proto;
	uint32_t messages;
	ms_t first_ms, last_ms; /* wall time */
	ms_t read_ms;           /* monotonic; when a message was read last, 0: none was */
	/* of the newest message that was read */
	char method[WORD_MAX + 1];
	char caller[NUMBER_MAX + 1], callee[NUMBER_MAX + 1];
	char agent[PROGRAM_MAX + 1];
};

struct knocks {
	struct knock place[KNOCKS];
	ms_t second; /* of the count below */
	unsigned read;
};

int knocks_create(struct knocks **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct knocks *knocks_free(struct knocks *k)
{
	free(k);
	return NULL;
}

/* ---- places ---- */

static bool is_over(const struct knock *x, ms_t wall_ms)
{
	return !addr_is_set(&x->peer) || wall_ms - x->last_ms >= KNOCK_KEEP_MS;
}

/* Should a make room rather than b? */
static bool goes_before(const struct knock *a, const struct knock *b, ms_t wall_ms)
{
	if (is_over(a, wall_ms) != is_over(b, wall_ms))
		return is_over(a, wall_ms);
	if (a->messages != b->messages)
		return a->messages < b->messages;
	return a->last_ms < b->last_ms;
}

static struct knock *find(struct knocks *k, const struct addr *peer, ms_t wall_ms)
{
	struct knock *set = &k->place[addr_hash_host(peer) % SETS * WAYS];
	struct knock *worst = set;

	for (struct knock *x = set; x < set + WAYS; x++) {
		if (addr_is_set(&x->peer) && addr_eq_host(&x->peer, peer))
			return x;
		if (goes_before(x, worst, wall_ms))
			worst = x;
	}
	*worst = (struct knock){ .first_ms = wall_ms };
	return worst;
}

static struct knock *count(struct knocks *k, const struct flow *from)
{
	ms_t now = clock_wall_ms();
	struct knock *x = find(k, &from->peer, now);

	x->peer = from->peer;
	x->proto = (uint8_t)from->proto;
	x->messages += x->messages < UINT32_MAX;
	x->last_ms = now;
	return x;
}

/* ---- what it says ---- */

static bool may_read(struct knocks *k, struct knock *x, ms_t mono_ms)
{
	if (x->read_ms && mono_ms - x->read_ms < SECOND_MS)
		return false;
	if (mono_ms - k->second >= SECOND_MS) {
		k->second = mono_ms;
		k->read = 0;
	}
	if (k->read >= KNOCKS_READ)
		return false;
	k->read++;
	x->read_ms = mono_ms;
	return true;
}

/* Whatever a stranger sent: printable, and as much as fits. */
static void keep(char *room, size_t size, struct str s)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_put_printable(&text, str_head(s, size - 1));
	if (str_copy(room, size, buf_str(&text)) < 0)
		room[0] = '\0';
}

static void keep_number(char room[NUMBER_MAX + 1], const struct uri *u)
{
	char digits[NUMBER_MAX + 1];
	struct buf b = buf_fixed(digits, sizeof(digits));

	keep(room, NUMBER_MAX + 1, uri_number(u, &b) == 0 ? buf_str(&b) : u->user);
}

static void note(struct knock *x, const struct msg *m)
{
	struct str agent;

	keep(x->method, sizeof(x->method),
	     m->method == METHOD_OTHER ? m->method_text : str_of(method_name(m->method)));
	keep_number(x->caller, &m->from);
	keep_number(x->callee, &m->to);
	if (!msg_header(m, "User-Agent", 0, &agent))
		agent = STR("");
	keep(x->agent, sizeof(x->agent), agent);
}

/* What cannot be parsed has a first word all the same. */
static void note_word(struct knock *x, struct str raw)
{
	ptrdiff_t blank = str_chr(str_head(raw, WORD_MAX + 1), ' ');

	x->caller[0] = x->callee[0] = x->agent[0] = '\0';
	keep(x->method, sizeof(x->method), blank > 0 ? str_head(raw, (size_t)blank) : STR("?"));
}

void knocks_message(struct knocks *k, const struct msg *m, ms_t mono_ms)
{
	struct knock *x = count(k, &m->flow);

	if (may_read(k, x, mono_ms))
		note(x, m);
}

void knocks_raw(struct knocks *k, const struct flow *from, struct str raw, ms_t mono_ms)
{
	CLEANUP(msg_free) struct msg *m = NULL;
	struct msg_fault fault = { 0 };
	struct knock *x = count(k, from);

	if (str_is_empty(raw) || !may_read(k, x, mono_ms))
		return;
	if (msg_parse(&m, from, raw, &fault) == 0 && m->is_request)
		note(x, m);
	else
		note_word(x, raw);
}

/* ---- shown ---- */

static json_t *knock_json(const struct knock *x)
{
	char host[ADDR_TEXT], first[CLOCK_TEXT], last[CLOCK_TEXT];

	return json_pack("{s:s s:i s:s s:I s:s s:s s:s s:s s:s s:s}", "address",
			 addr_host_text(&x->peer, host), "port", (int)addr_port(&x->peer),
			 "transport", proto_name((enum proto)x->proto), "messages",
			 (json_int_t)x->messages, "first", clock_text(x->first_ms, first), "last",
			 clock_text(x->last_ms, last), "method", x->method, "caller", x->caller,
			 "callee", x->callee, "agent", x->agent);
}

json_t *knocks_json(const struct knocks *k)
{
	json_t *list = json_array();
	ms_t now = clock_wall_ms();

	for (int i = 0; list && i < KNOCKS; i++) {
		if (!is_over(&k->place[i], now))
			(void)json_array_append_new(list, knock_json(&k->place[i]));
	}
	return list;
}
