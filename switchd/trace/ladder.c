#include "trace/ladder.h"

#include <inttypes.h>

#include "base/clock.h"
#include "trace/mask.h"
#include "transport/field.h"

/* A message is looked for among so many before it; a picture has so many rows. */
enum { SPAN = 23, NAME_MAX_COLUMNS = SPAN - 5, LOOK_BACK = 32, ROWS_MAX = 2000 };

/* ---- what an arrow is called ---- */

static struct str header(struct str raw, const char *name, const char *compact)
{
	struct field f;

	(void)field_start_line(&raw);
	while (field_next(&raw, &f))
		if (str_ieq(f.name, str_of(name)) || str_ieq(f.name, str_of(compact)))
			return f.value;
	return STR("");
}

/* The word behind the last blank: the method of a CSeq. */
static struct str last_word(struct str s)
{
	while (str_chr(s, ' ') >= 0)
		s = str_skip(s, (size_t)str_chr(s, ' ') + 1);
	return s;
}

void ladder_put_name(struct buf *out, struct str raw)
{
	struct str rest = raw, line = field_start_line(&rest), method;
	ptrdiff_t space = str_chr(line, ' ');

	if (!str_has_prefix(line, STR("SIP/2.0 "))) {
		buf_put_printable(out, str_head(line, space < 0 ? line.n : (size_t)space));
		return;
	}
	buf_put_printable(out, str_skip(line, 8));
	method = last_word(header(raw, "CSeq", "CSeq"));
	if (method.n && !str_ieq(method, STR("INVITE"))) {
		buf_putc(out, ' ');
		buf_put_printable(out, method);
	}
}

/* ---- the picture ---- */

static void put_span(struct buf *out, bool is_arrow, bool to_right, struct str label)
{
	size_t fill = SPAN - 4 - label.n, before = fill / 2;

	if (!is_arrow) {
		buf_printf(out, "%*s", SPAN, "");
		return;
	}
	buf_putc(out, to_right ? '-' : '<');
	for (size_t i = 0; i < fill; i++) {
		if (i == before)
			buf_printf(out, " %.*s ", STR_ARG(label));
		buf_putc(out, '-');
	}
	buf_putc(out, to_right ? '>' : '-');
}

static bool was_seen(const struct traced *t)
{
	struct list *it = t->of_leg.prev;

	for (int i = 0; i < LOOK_BACK && it != &t->leg->messages; i++, it = it->prev) {
		const struct traced *b = CONTAINER(it, struct traced, of_leg);

		if (b->is_sent == t->is_sent &&
		    str_eq(str_n(b->bytes, b->n), str_n(t->bytes, t->n)))
			return true;
	}
	return false;
}

static void put_label(struct buf *out, struct str raw)
{
	ladder_put_name(out, raw);
	if (str_ieq(header(raw, "Content-Type", "c"), STR("application/sdp"))) {
		if (out->n > NAME_MAX_COLUMNS - 5)
			out->n = NAME_MAX_COLUMNS - 5;
		buf_putz(out, " +SDP");
	}
	if (out->n > NAME_MAX_COLUMNS)
		out->n = NAME_MAX_COLUMNS;
	/* A character of several octets that was cut. */
	while (out->n > 0 && (out->p[out->n - 1] & 0x80))
		out->n--;
}

static void put_row(struct buf *out, const struct traced *t, int64_t since_us)
{
	CLEANUP(buf_done) struct buf label = BUF_INIT;
	int64_t us = t->wall_us - since_us;
	bool is_vendor = t->leg->is_vendor;

	put_label(&label, str_n(t->bytes, t->n));
	buf_printf(out, "%6" PRId64 ".%03d |", us / 1000000, (int)(us % 1000000 / 1000));
	put_span(out, !is_vendor, !t->is_sent, buf_str(&label));
	buf_putc(out, '|');
	put_span(out, is_vendor, t->is_sent, buf_str(&label));
	buf_putc(out, '|');
	if (is_vendor)
		buf_printf(out, " %u", t->leg->attempt);
	if (was_seen(t))
		buf_putz(out, " again");
	buf_putc(out, '\n');
}

/* ---- who they are ---- */

static void put_party(struct buf *out, const struct trace_leg *l, const struct traced *t)
{
	char text[ADDR_TEXT];

	if (l->is_vendor)
		buf_printf(out, "vendor %u  ", l->attempt);
	else
		buf_putz(out, "caller    ");
	buf_printf(out, "%s %s", proto_name((enum proto)t->proto), addr_text(&t->peer, text));
	if (l->gateway[0]) {
		buf_putz(out, "  ");
		buf_put_printable(out, str_of(l->gateway));
	}
	buf_putz(out, "\n          Call-ID ");
	buf_put_printable(out, str_head(str_n(l->call_id, l->n), LADDER_COLUMNS - 18));
	buf_putc(out, '\n');
}

static void put_head(struct buf *out, const struct trace_call *c, const struct traced *const *m,
		     size_t n)
{
	char text[CLOCK_TEXT];
	struct list *it, *tmp;

	if (c->id)
		buf_printf(out, "call %016" PRIx64 "  ", (uint64_t)c->id);
	buf_printf(out, "%s", clock_text(m[0]->wall_us / 1000, text));
	if (c->callee[0]) {
		buf_putz(out, "  ");
		buf_put_printable(out, str_of(c->caller));
		buf_putz(out, " to ");
		buf_put_printable(out, str_of(c->callee));
	}
	buf_putc(out, '\n');
	LIST_EACH (it, tmp, &c->legs) {
		const struct trace_leg *l = CONTAINER(it, struct trace_leg, of_call);

		for (size_t i = 0; i < n; i++) {
			if (m[i]->leg == l) {
				put_party(out, l, m[i]);
				break;
			}
		}
	}
	buf_putz(out, "\n      s     caller                switch                  vendor\n");
}

static void put_lines(struct buf *out, struct str text)
{
	struct str line;

	while (str_line(&text, &line)) {
		buf_put_printable(out, line);
		buf_putc(out, '\n');
	}
}

static void put_message(struct buf *out, const struct traced *t)
{
	CLEANUP(buf_done) struct buf clean = BUF_INIT;
	char at[CLOCK_TEXT], local[ADDR_TEXT], peer[ADDR_TEXT];

	mask_put(&clean, str_n(t->bytes, t->n));
	buf_printf(out, "\n== %s %s %s %s %s\n", clock_text(t->wall_us / 1000, at),
		   proto_name((enum proto)t->proto), addr_text(&t->local, local),
		   t->is_sent ? "->" : "<-", addr_text(&t->peer, peer));
	put_lines(out, buf_str(&clean));
}

void ladder_put(struct buf *out, const struct trace_call *c, const struct traced *const *m,
		size_t n, const struct ladder_options *o)
{
	size_t shown = n < ROWS_MAX ? n : ROWS_MAX;

	if (n == 0)
		return;
	put_head(out, c, m, shown);
	for (size_t i = 0; i < shown; i++)
		put_row(out, m[i], m[0]->wall_us);
	if (shown < n)
		buf_printf(out, "... and %zu more: trace export has them\n", n - shown);
	for (size_t i = 0; o->is_full && i < shown; i++)
		put_message(out, m[i]);
}
