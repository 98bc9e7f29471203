/* RTP headers at their edges, and RFC 3550's counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/rtp.h"

static void headers_whose_lengths_do_not_fit_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool is_good;
	} cases[] = {
		{ "\x80\x08\0\1\0\0\0\2\0\0\0\3", 12, true },
		{ "\x80\x08\0\1\0\0\0\2\0\0\0", 11, false },
		{ "\x40\x08\0\1\0\0\0\2\0\0\0\3", 12, false }, /* version 1 */
		{ "\x81\x08\0\1\0\0\0\2\0\0\0\3", 12, false }, /* a CSRC that is not there */
		{ "\x81\x08\0\1\0\0\0\2\0\0\0\3\0\0\0\4", 16, true },
		{ "\x90\x08\0\1\0\0\0\2\0\0\0\3\0\0\0\1", 16,
		  false }, /* an extension of one word */
		{ "\x90\x08\0\1\0\0\0\2\0\0\0\3\0\0\0\0", 16, true },
		{ "\xa0\x08\0\1\0\0\0\2\0\0\0\3\0", 13, false }, /* padding of 0 */
		{ "\xa0\x08\0\1\0\0\0\2\0\0\0\3\2", 13, false }, /* more than there is */
		{ "\xa0\x08\0\1\0\0\0\2\0\0\0\3\1", 13, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rtp_header h;

		assert_int_equal(rtp_read(str_n(cases[i].bytes, cases[i].n), &h), cases[i].is_good);
	}
}

static void a_compound_of_rtcp_must_add_up(void **state)
{
	(void)state;
	assert_true(rtcp_is_valid(str_n("\x80\xc9\0\1\0\0\0\1", 8)));
	assert_true(rtcp_is_valid(str_n("\x80\xc9\0\1\0\0\0\1\x81\xcb\0\1\0\0\0\1", 16)));
	assert_false(rtcp_is_valid(str_n("\x80\xc9\0\2\0\0\0\1", 8)));
	assert_false(rtcp_is_valid(str_n("\x80\x08\0\1\0\0\0\1", 8)));
	assert_false(rtcp_is_valid(str_n("\x80\xc9\0\1\0\0\0\1\x81", 9)));
}

static uint64_t lost_of(const uint16_t *sequence, size_t n)
{
	struct rtp_count c = { 0 };

	for (size_t i = 0; i < n; i++)
		rtp_count(&c, &(struct rtp_header){ .sequence = sequence[i], .ssrc = 1 }, 0);
	return rtp_lost(&c);
}

#define LOST(...)                                  \
	lost_of((const uint16_t[]){ __VA_ARGS__ }, \
		sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static void what_is_missing_is_counted(void **state)
{
	(void)state;
	assert_int_equal(LOST(5), 0);
	assert_int_equal(LOST(1, 2, 3), 0);
	assert_int_equal(LOST(1, 3), 1);
	assert_int_equal(LOST(1, 3, 2), 0);
	assert_int_equal(LOST(65534, 65535, 0, 1), 0);
	assert_int_equal(LOST(65534, 1), 2);
	assert_int_equal(LOST(1, 2, 2, 3), 0);
	assert_int_equal(LOST(1, 3, 40000, 40001), 1); /* a jump starts anew */
}

static void another_ssrc_starts_anew_and_keeps_what_was_lost(void **state)
{
	struct rtp_count c = { 0 };

	(void)state;
	rtp_count(&c, &(struct rtp_header){ .sequence = 1, .ssrc = 1 }, 0);
	rtp_count(&c, &(struct rtp_header){ .sequence = 4, .ssrc = 1 }, 0);
	rtp_count(&c, &(struct rtp_header){ .sequence = 900, .ssrc = 2 }, 0);
	rtp_count(&c, &(struct rtp_header){ .sequence = 901, .ssrc = 2 }, 0);
	assert_int_equal(rtp_lost(&c), 2);
}

static void jitter_is_that_of_rfc_3550(void **state)
{
	struct rtp_count even = { 0 }, late = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		struct rtp_header h = { .sequence = (uint16_t)i, .timestamp = 160 * i, .ssrc = 1 };

		rtp_count(&even, &h, 160 * i);
		rtp_count(&late, &h, 160 * i + (i % 2) * 160);
	}
	assert_int_equal(rtp_jitter_us(&even, 8000), 0);
	/* every difference is 160 units: the estimate rises towards 20 ms */
	assert_in_range(rtp_jitter_us(&late, 8000), 18000, 20000);
}

static void quality_falls_with_loss(void **state)
{
	uint32_t last = 451;

	(void)state;
	assert_int_equal(rtp_mos_100(0, 0, 0), 0);
	for (uint64_t lost = 0; lost <= 1000; lost += 50) {
		uint32_t mos = rtp_mos_100(1000, lost, 0);

		assert_in_range(mos, 100, 450);
		assert_true(mos <= last);
		last = mos;
	}
	assert_in_range(rtp_mos_100(1000, 0, 0), 430, 450);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_whose_lengths_do_not_fit_are_refused),
		cmocka_unit_test(a_compound_of_rtcp_must_add_up),
		cmocka_unit_test(what_is_missing_is_counted),
		cmocka_unit_test(another_ssrc_starts_anew_and_keeps_what_was_lost),
		cmocka_unit_test(jitter_is_that_of_rfc_3550),
		cmocka_unit_test(quality_falls_with_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
