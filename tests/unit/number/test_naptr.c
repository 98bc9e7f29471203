#include "number/naptr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { HEAD = 12 };

static struct naptr_question question(void)
{
	struct naptr_question q;

	assert_int_equal(naptr_ask(&q, STR("880171"), STR("e164.arpa"), 0x1234), 0);
	return q;
}

static void the_name_has_the_digits_backwards(void **state)
{
	static const char name[] = "\001"
				   "1\0017\0011\0010\0018\0018\004e164\004arpa";
	struct naptr_question q = question();

	(void)state;
	assert_int_equal(q.name_n, sizeof(name));
	assert_memory_equal(q.bytes + HEAD, name, sizeof(name));
	assert_string_equal(q.number, "+880171");
}

static void what_is_no_number_or_no_domain_is_not_asked_for(void **state)
{
	static const struct {
		const char *number, *zone;
	} bad[] = {
		{ "", "e164.arpa" },  { "88*1", "e164.arpa" },
		{ "+", "e164.arpa" }, { "1", "" },
		{ "1", "a..b" },      { "1", "a:53" },
		{ "1", "192.0.2.1" }, { "12345678901234567890123456789012345678901", "a" },
	};
	struct naptr_question q;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(naptr_ask(&q, str_of(bad[i].number), str_of(bad[i].zone), 1),
				 -EINVAL);
	assert_int_equal(naptr_ask(&q, STR("+1"), STR("a"), 1), 0);
}

struct given {
	unsigned order;
	const char *flags, *services, *expression,
		*next; /* next: labels with their lengths; NULL: the root */
};

static void put16(struct buf *b, unsigned n)
{
	buf_putc(b, (char)(n >> 8));
	buf_putc(b, (char)n);
}

static void put_string(struct buf *b, const char *text)
{
	buf_putc(b, (char)strlen(text));
	buf_putz(b, text);
}

static void put_record(struct buf *b, const struct given *g)
{
	put16(b, 0xc00c);
	put16(b, 35);
	put16(b, 1);
	put16(b, 0);
	put16(b, 60);
	put16(b, (unsigned)(8 + (g->next ? strlen(g->next) : 0) + strlen(g->flags) +
			    strlen(g->services) + strlen(g->expression)));
	put16(b, g->order);
	put16(b, 1);
	put_string(b, g->flags);
	put_string(b, g->services);
	put_string(b, g->expression);
	buf_putz(b, g->next ? g->next : "");
	buf_putc(b, 0);
}

/* flags: the third and fourth octet of the head. */
static int answer(unsigned flags, const struct given *g, unsigned count, struct naptr_answer *ret)
{
	struct naptr_question q = question();
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	put16(&b, 0x1234);
	put16(&b, flags);
	put16(&b, 1);
	put16(&b, count);
	put16(&b, 0);
	put16(&b, 0);
	buf_put(&b, str_n(q.bytes + HEAD, q.name_n + 4));
	for (unsigned i = 0; i < count; i++)
		put_record(&b, &g[i]);
	if (buf_error(&b))
		return -ENOMEM;
	return naptr_read(&q, (const uint8_t *)b.p, b.n, ret);
}

static void records_say_where_a_number_is(void **state)
{
	static const struct {
		struct given g;
		int result;
		const char *digits;
	} cases[] = {
		{ { 1, "u", "E2U+pstn:tel", "!^.*$!tel:+1;npdi;rn=+770199!", NULL }, 1, "770199" },
		{ { 1, "U", "e2u+PSTN:sip", "!^.*$!sip:1;npdi;rn=7701-99@h!", NULL }, 1, "770199" },
		{ { 1, "u", "E2U+sip", "!^\\+(88)(.*)$!sip:\\2;rn=\\1\\2@h!", NULL }, 1, "880171" },
		{ { 1, "u", "E2U+voice:tel+pstn:tel", "/^.*$/tel:1;rn=1/", NULL }, 1, "1" },
		{ { 1, "u", "E2U+pstn:tel", "!^\\+88.*X?$!tel:1;rn=1!i", NULL }, 1, "1" },
		{ { 1, "u", "E2U+pstn:tel", "!^.*$!tel:+1;npdi!", NULL }, 0, "" },
		{ { 1, "u", "E2U+pstn:tel", "!^.*$!tel:+1!", NULL }, 0, "" },
		{ { 1, "u", "E2U+sip", "!^.*$!sip:1@h!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!^.*$!tel:+1;rn=abc!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+mailto", "!^.*$!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "", "E2U+pstn:tel", "!^.*$!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "pstn", "!^.*$!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!^9!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!(!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!(*UTF).*!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!.*!tel:1;rn=1", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!.*!tel:1;rn=1!x", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "!(((\\d*)*)*)*x!tel:1;rn=1!", NULL }, -ENOENT, "" },
		{ { 1, "u", "E2U+pstn:tel", "", NULL }, -ENOENT, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct naptr_answer a;
		int r = answer(0x8180, &cases[i].g, 1, &a);

		if (r == -ENOMEM)
			return;
		assert_int_equal(r, cases[i].result);
		assert_string_equal(r == 1 ? a.digits : "", cases[i].digits);
		assert_int_equal(a.next_n, 0);
	}
}

static void the_first_in_order_that_says_something_counts(void **state)
{
	static const struct given g[] = {
		{ 9, "u", "E2U+pstn:tel", "!.*!tel:1;rn=9!", NULL },
		{ 1, "u", "E2U+sip", "!.*!sip:1@h!", NULL },
		{ 5, "u", "E2U+pstn:tel", "!.*!tel:1;rn=5!", NULL },
		{ 7, "u", "E2U+pstn:tel", "!.*!tel:1;npdi!", NULL },
	};
	struct naptr_answer a;

	(void)state;
	if (answer(0x8180, g, 4, &a) == 1)
		assert_string_equal(a.digits, "5");
}

/* RFC 3403 §4.1: no flags, a domain. */
static void a_record_may_lead_to_another_domain(void **state)
{
	static const char there[] = "\003"
				    "one\007example";
	static const struct {
		struct given g[2];
		int result;
		bool leads_on;
		const char *digits;
	} cases[] = {
		{ { { 1, "", "E2U+pstn:tel", "", there },
		    { 2, "u", "E2U+pstn:tel", "!.*!tel:1;rn=2!", NULL } },
		  1,
		  true,
		  "2" },
		{ { { 2, "", "", "", there }, { 1, "u", "E2U+pstn:tel", "!.*!tel:1;rn=1!", NULL } },
		  1,
		  false,
		  "1" },
		{ { { 1, "", "", "", there }, { 2, "u", "E2U+mailto", "!.*!mailto:x@y!", NULL } },
		  -ENOENT,
		  true,
		  "" },
		{ { { 1, "", "E2U+mailto", "", there }, { 2, "", "", "!x!y!", there } },
		  -ENOENT,
		  false,
		  "" },
		{ { { 1, "", "", "", NULL }, { 2, "", "E2U+sip", "", there } }, -ENOENT, true, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct naptr_question q = question();
		struct naptr_answer a;
		int r = answer(0x8180, cases[i].g, 2, &a);

		if (r == -ENOMEM)
			return;
		assert_int_equal(r, cases[i].result);
		assert_string_equal(r == 1 ? a.digits : "", cases[i].digits);
		assert_int_equal(a.next_n, cases[i].leads_on ? sizeof(there) : 0);
		if (!cases[i].leads_on)
			continue;
		naptr_follow(&q, &a, 0x5678);
		assert_memory_equal(q.bytes + HEAD, there, sizeof(there));
		assert_int_equal(q.name_n, sizeof(there));
		assert_int_equal(q.bytes[0] << 8 | q.bytes[1], 0x5678);
		assert_string_equal(q.number, "+880171");
	}
}

static void an_answer_that_has_no_records(void **state)
{
	struct naptr_answer a;

	(void)state;
	assert_int_equal(answer(0x8180, NULL, 0, &a), -ENODATA);
	assert_int_equal(answer(0x8183, NULL, 0, &a), -ENODATA); /* no such name */
	assert_int_equal(answer(0x8182, NULL, 0, &a), -EAGAIN);  /* failed */
	assert_int_equal(answer(0x8185, NULL, 0, &a), -EAGAIN);  /* refused */
	assert_int_equal(answer(0x8380, NULL, 0, &a), -EMSGSIZE);
	assert_int_equal(answer(0x0180, NULL, 0, &a), -EPROTO); /* a question */
}

static void what_was_not_asked_is_no_answer(void **state)
{
	struct naptr_question q = question();
	struct naptr_answer a;
	uint8_t bytes[NAPTR_QUESTION_BYTES];
	size_t n = q.n - 11;

	(void)state;
	memcpy(bytes, q.bytes, q.n);
	bytes[2] |= 0x80;
	bytes[11] = 0;
	assert_int_equal(naptr_read(&q, bytes, n, &a), -ENODATA);
	bytes[HEAD + 1] ^= 1; /* of another number */
	assert_int_equal(naptr_read(&q, bytes, n, &a), -EPROTO);
	bytes[HEAD + 1] ^= 1;
	bytes[0] ^= 1; /* by another number */
	assert_int_equal(naptr_read(&q, bytes, n, &a), -EPROTO);
	bytes[0] ^= 1;
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(naptr_read(&q, bytes, cut, &a), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_has_the_digits_backwards),
		cmocka_unit_test(what_is_no_number_or_no_domain_is_not_asked_for),
		cmocka_unit_test(records_say_where_a_number_is),
		cmocka_unit_test(the_first_in_order_that_says_something_counts),
		cmocka_unit_test(a_record_may_lead_to_another_domain),
		cmocka_unit_test(an_answer_that_has_no_records),
		cmocka_unit_test(what_was_not_asked_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
