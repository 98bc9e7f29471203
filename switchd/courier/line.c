#include "courier/line.h"

/* From the network: whatever would end the field or the line is a question mark. */
static void put(struct buf *out, const char *text, const char *instead)
{
	struct str s = text && text[0] ? str_of(text) : str_of(instead ? instead : "-");

	if (s.n == 0)
		s = STR("-");
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, s.p[i] == '|' || (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f
				      ? '?'
				      : s.p[i]);
	buf_putc(out, '|');
}

static void put_number(struct buf *out, int64_t n)
{
	if (n == FIELD_ABSENT)
		buf_putc(out, '-');
	else
		buf_put_i64(out, n);
	buf_putc(out, '|');
}

static int64_t side_number(int64_t side)
{
	return side == CDR_HANGUP_SIDE_CALLER ? 0 : side == CDR_HANGUP_SIDE_CALLEE ? 1 : 2;
}

static int64_t kind_number(const struct cdr_row *r)
{
	if (r->billed_s == 0)
		return -1;
	return r->caller_phone ? 0 : 1;
}

void line_put(const struct cdr_row *r, struct buf *out)
{
	put(out, r->caller, NULL);
	put(out, r->callee, NULL);
	put_number(out, r->start);
	put_number(out, r->end);
	put_number(out, r->hold_ms / 1000);
	put(out, r->reason, NULL);
	put_number(out, side_number(r->hangup_side));
	put(out, r->mapping_gateway, r->caller_phone);
	put(out, r->routing_gateway, r->callee_phone);
	put(out, r->caller_ip, NULL);
	put(out, r->callee_ip, NULL);
	put(out, r->caller_out, r->caller);
	put(out, r->callee_out, r->callee);
	put(out, r->caller_phone, r->mapping_gateway);
	put(out, r->callee_phone, r->routing_gateway);
	put_number(out, 0);
	put_number(out, kind_number(r));
	row_print(&entities[ENTITY_CDR].field[CDR_ID], r, out);
	buf_putc(out, '\n');
}
