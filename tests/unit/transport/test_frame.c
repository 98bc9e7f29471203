#include "rig.h"
#include "transport/frame.h"

/* What a framer makes of bytes, as text: one letter a verdict, messages in brackets. */
static void note(struct buf *out, enum frame_verdict v, struct str bytes)
{
	switch (v) {
	case FRAME_MESSAGE:
	case FRAME_BROKEN:
		buf_putc(out, v == FRAME_MESSAGE ? '[' : '{');
		buf_put(out, bytes);
		buf_putc(out, v == FRAME_MESSAGE ? ']' : '}');
		break;
	case FRAME_PING:
		buf_putc(out, 'P');
		break;
	case FRAME_TOO_LONG:
		buf_putc(out, '!');
		break;
	case FRAME_SKIP:
	case FRAME_MORE:
		break;
	}
}

/* Feeds bytes in pieces of `step`. */
static void feed(struct str bytes, size_t step, struct buf *out)
{
	struct frame f = { 0 };
	size_t from = 0;

	for (size_t have = 0; have < bytes.n;) {
		have = have + step < bytes.n ? have + step : bytes.n;
		for (;;) {
			struct str now = str_n(bytes.p + from, have - from);
			size_t n = 0;
			enum frame_verdict v = frame_next(&f, now, &n);

			if (v == FRAME_MORE)
				break;
			note(out, v, str_head(now, n));
			if (v == FRAME_BROKEN || v == FRAME_TOO_LONG)
				return;
			from += n;
		}
	}
}

static void assert_framed(struct str bytes, size_t step, struct str expected)
{
	struct buf out = BUF_INIT;

	feed(bytes, step, &out);
	assert_int_equal(buf_error(&out), 0);
	assert_int_equal(out.n, expected.n);
	if (expected.n)
		assert_memory_equal(out.p, expected.p, expected.n);
	buf_done(&out);
}

static void however_bytes_are_cut_the_messages_are_the_same(void **state)
{
	static const struct {
		const char *bytes, *expected;
	} cases[] = {
		{ "", "" },
		{ "A\r\n\r\n", "[A\r\n\r\n]" },
		{ "A\r\nB: c\r\n", "" },
		{ "A\r\nl: 3\r\n\r\nxyz", "[A\r\nl: 3\r\n\r\nxyz]" },
		{ "A\r\nl: 3\r\n\r\nxy", "" },
		{ "A\r\nL:0\r\n\r\nB\r\n\r\n", "[A\r\nL:0\r\n\r\n][B\r\n\r\n]" },
		{ "A\nl: 1\n\nxB\n\n", "[A\nl: 1\n\nx][B\n\n]" },
		{ "A\r\nContent-Length  :\r\n 2\r\n\r\nxy",
		  "[A\r\nContent-Length  :\r\n 2\r\n\r\nxy]" },
		{ "A\r\ncontent-LENGTH: 002\r\nl: 2\r\n\r\nxy",
		  "[A\r\ncontent-LENGTH: 002\r\nl: 2\r\n\r\nxy]" },
		/* what only looks like a length */
		{ "A\r\nX: y\r\n l: 5\r\nContent-Lengthy: 9\r\n\r\n",
		  "[A\r\nX: y\r\n l: 5\r\nContent-Lengthy: 9\r\n\r\n]" },
		{ "l: 5\r\n\r\n", "[l: 5\r\n\r\n]" },
		/* between messages */
		{ "\r\n\r\nA\r\n\r\n", "P[A\r\n\r\n]" },
		{ "\r\n\r\n\r\n\r\n", "PP" },
		{ "\r\nA\r\n\r\n", "[A\r\n\r\n]" },
		{ "\nA\n\n\n\r\nB\n\n", "[A\n\n][B\n\n]" },
		{ "A\r\nl: 1\r\n\r\nx\r\nB\r\n\r\n", "[A\r\nl: 1\r\n\r\nx][B\r\n\r\n]" },
		/* no end of the body can be told */
		{ "A\r\nl: 1\r\nContent-Length: 2\r\n\r\nxy",
		  "{A\r\nl: 1\r\nContent-Length: 2\r\n\r\n}" },
		{ "A\r\nl: -1\r\n\r\n", "{A\r\nl: -1\r\n\r\n}" },
		{ "A\r\nl: 1x\r\n\r\n", "{A\r\nl: 1x\r\n\r\n}" },
		{ "A\r\nl:\r\n\r\n", "{A\r\nl:\r\n\r\n}" },
		{ "A\r\nl: 1, 1\r\n\r\n", "{A\r\nl: 1, 1\r\n\r\n}" },
		{ "A\r\nl: 65537\r\n\r\n", "{A\r\nl: 65537\r\n\r\n}" },
		{ "A\r\nl: 99999999999999999999999\r\n\r\n",
		  "{A\r\nl: 99999999999999999999999\r\n\r\n}" },
		{ "A\r\nl: 1\r\n 2\r\n\r\nxy", "{A\r\nl: 1\r\n 2\r\n\r\n}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str bytes = str_of(cases[i].bytes);

		for (size_t step = 1; step <= bytes.n + 1; step++)
			assert_framed(bytes, step, str_of(cases[i].expected));
	}
}

/* A message whose headers are `head` bytes and that says its body has `body`. */
static struct str make(struct buf *b, size_t head, size_t body)
{
	buf_printf(b, "A\r\nl: %zu\r\nX: ", body);
	while (b->n < head - 4 && !buf_error(b))
		buf_putc(b, 'x');
	buf_put(b, STR("\r\n\r\n"));
	for (size_t i = 0; i < body && !buf_error(b); i++)
		buf_putc(b, 'y');
	assert_int_equal(buf_error(b), 0);
	return buf_str(b);
}

static enum frame_verdict verdict(struct str bytes)
{
	struct frame f = { 0 };
	size_t n;

	return frame_next(&f, bytes, &n);
}

static void the_limits_are_met_exactly(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(verdict(make(&b, FRAME_HEAD_MAX, FRAME_BODY_MAX)), FRAME_MESSAGE);
	buf_clear(&b);
	assert_int_equal(verdict(make(&b, FRAME_HEAD_MAX + 1, 0)), FRAME_TOO_LONG);
	assert_int_equal(verdict(str_head(buf_str(&b), FRAME_HEAD_MAX)), FRAME_MORE);
	buf_clear(&b);
	assert_int_equal(verdict(make(&b, 100, FRAME_BODY_MAX + 1)), FRAME_BROKEN);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(however_bytes_are_cut_the_messages_are_the_same),
		cmocka_unit_test(the_limits_are_met_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
