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
	/* clang-format off */
#define AUDIO "\x08\0\1\0\0\0\2\0\0\0\3" /* PCMA, sequence 1, timestamp 2, SSRC 3 */
		{ "", 0, false },
		{ "\x80" AUDIO, 12, true },
		{ "\x80" AUDIO, 11, false },
		{ "\0" AUDIO, 12, false },    /* version 0 */
		{ "\x40" AUDIO, 12, false }, /* version 1 */
		{ "\xc0" AUDIO, 12, false }, /* version 3 */
		/* CSRC */
		{ "\x81" AUDIO, 12, false },
		{ "\x81" AUDIO "\0\0\0\4", 15, false },
		{ "\x81" AUDIO "\0\0\0\4", 16, true },
		{ "\x8f" AUDIO "\0\0\0\4", 16, false },
		/* extension */
		{ "\x90" AUDIO, 12, false },
		{ "\x90" AUDIO "\0\0\0", 15, false },
		{ "\x90" AUDIO "\0\0\0\1", 16, false },
		{ "\x90" AUDIO "\0\0\0\0", 16, true },
		{ "\x90" AUDIO "\0\0\0\1\0\0\0\0", 20, true },
		{ "\x90" AUDIO "\0\0\xff\xff\0\0\0\0", 20, false },
		{ "\x91" AUDIO "\0\0\0\4\0\0\0\1", 20, false }, /* behind a CSRC */
		{ "\x91" AUDIO "\0\0\0\4\0\0\0\0", 20, true },
		/* padding */
		{ "\xa0" AUDIO, 12, false }, /* it would be of the header */
		{ "\xa0" AUDIO "\0", 13, false },
		{ "\xa0" AUDIO "\2", 13, false },
		{ "\xa0" AUDIO "\1", 13, true },
		{ "\xa0" AUDIO "x\2", 14, true },
		{ "\xa0" AUDIO "x\xff", 14, false },
		{ "\xb0" AUDIO "\0\0\0\0\1", 17, true },
		{ "\xb0" AUDIO "\0\0\0\0\2", 17, false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rtp_header h;

		assert_int_equal(rtp_read(str_n(cases[i].bytes, cases[i].n), &h), cases[i].is_good);
	}
}

static void a_fax_has_a_first_part_and_something_behind_it(void **state)
{
	static const char endless[300] = "\0\1\x81\x04"; /* 260 octets, and what follows */
	static const struct {
		const char *bytes;
		size_t n;
		bool is_good;
	} cases[] = {
		{ "", 0, false },
		{ "\0\1\1", 3, false },
		{ "\0\1\1a", 4, false },
		{ "\0\1\1a\0", 5, true },
		{ "\0\1\0\0\0", 5, false }, /* nothing */
		{ "\0\1\3a\0\0", 6, false },
		{ "\0\1\x80\1a\0", 6, true }, /* two octets of length */
		{ "\0\1\x80\2a\0", 6, false },
		{ "\0\1\xc1\1a\0", 6, false }, /* in pieces: no datagram is as long */
		{ endless, 264, false },
		{ endless, 265, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(udptl_read(str_n(cases[i].bytes, cases[i].n)), cases[i].is_good);
}

static void the_fields_of_a_header_are_read(void **state)
{
	struct rtp_header h;

	(void)state;
	assert_true(rtp_read(str_n("\x80\xe5\x12\x34\1\2\3\4\xff\xfe\xfd\xfc", 12), &h));
	assert_int_equal(h.payload_type, 101); /* without the marker */
	assert_int_equal(h.sequence, 0x1234);
	assert_int_equal(h.timestamp, 0x01020304);
	assert_int_equal(h.ssrc, 0xfffefdfc);
}

static void a_compound_of_rtcp_must_add_up(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool is_good;
	} cases[] = {
	/* clang-format off */
#define EMPTY_RR "\xc9\0\1\0\0\0\7"
		{ "", 0, false },
		{ "\x80" EMPTY_RR, 7, false },
		{ "\x80" EMPTY_RR, 8, true },
		{ "\x40" EMPTY_RR, 8, false },
		{ "\x80" EMPTY_RR "\x81", 9, false },
		{ "\x80" EMPTY_RR "\x81\xcb\0\1\0\0\0\1", 16, true },
		{ "\x80" EMPTY_RR "\x81\xcb\0\2\0\0\0\1", 16, false },
		{ "\x80" EMPTY_RR "\x01\xcb\0\1\0\0\0\1", 16, false }, /* version of the second */
		{ "\x80" EMPTY_RR "\x80\x08\0\1\0\0\0\1", 16, false }, /* its type */
		{ "\x80" EMPTY_RR "\x80\xcb\0\0", 12, true },           /* BYE of nobody */
		{ "\x80\xcb\0\0\x80" EMPTY_RR, 12, false },             /* nobody's first */
		{ "\x80\xc9\0\2\0\0\0\1", 8, false },
		{ "\x80\xc9\xff\xff\0\0\0\1", 8, false },
		{ "\x80\x08\0\1\0\0\0\1", 8, false },
		{ "\x80\xbf\0\1\0\0\0\1", 8, false },
		{ "\x80\xe0\0\1\0\0\0\1", 8, false },
		{ "\x81\xcd\0\2\0\0\0\1\0\0\0\2", 12, true }, /* feedback alone, RFC 5506 */
		/* padding: whole words, in the last one */
		{ "\xa0\xc9\0\2\0\0\0\1\0\0\0\4", 12, true },
		{ "\xa0\xc9\0\2\0\0\0\1\0\0\0\0", 12, false },
		{ "\xa0\xc9\0\2\0\0\0\1\0\0\0\3", 12, false },
		{ "\xa0\xc9\0\2\0\0\0\1\0\0\0\x0c", 12, false },
		{ "\xa0\xc9\0\2\0\0\0\1\0\0\0\4\x80" EMPTY_RR, 20, false },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t ssrc;

		if (rtcp_read(str_n(cases[i].bytes, cases[i].n), &ssrc) != cases[i].is_good)
			fail_msg("case %zu", i);
	}
}

static void the_ssrc_of_a_report_is_its_senders(void **state)
{
	uint32_t ssrc = 0;

	(void)state;
	assert_true(rtcp_read(str_n("\x80\xc9\0\1\1\2\3\4\x81\xcb\0\1\0\0\0\1", 16), &ssrc));
	assert_int_equal(ssrc, 0x01020304);
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
	assert_int_equal(LOST(65535, 1), 1);
	assert_int_equal(LOST(65535, 1, 0), 0);
	assert_int_equal(LOST(5, 4, 6), 0);            /* one from before the first */
	assert_int_equal(LOST(1, 3, 40000, 40001), 1); /* a jump starts anew */
	assert_int_equal(LOST(1, 3001, 3002), 2999);
	assert_int_equal(LOST(1, 3002, 3004), 1);
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

static void loss_is_counted_over_many_rounds_of_the_sequence(void **state)
{
	struct rtp_count c = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 300000; i++) {
		struct rtp_header h = { .sequence = (uint16_t)i, .timestamp = 160 * i };

		if (i % 100 != 50)
			rtp_count(&c, &h, 160 * i);
	}
	assert_int_equal(rtp_lost(&c), 3000);
}

/* A.8 by hand: J += |D| - (J + 8) / 16, all times 16. */
static void jitter_is_that_of_rfc_3550(void **state)
{
	static const struct {
		uint32_t timestamp, arrival, jitter_16;
	} packets[] = {
		{ 0, 1000, 0 },
		{ 160, 1160, 0 },
		{ 320, 1336, 16 },          /* 16 late: 0 + 16 - 0 */
		{ 480, 1480, 16 + 16 - 1 }, /* 16 early against the last: - (16 + 8) / 16 */
		{ 640, 1960, 31 + 320 - 2 },
		{ 800, 2120, 349 - 22 }, /* in step: it falls by a sixteenth */
		{ 800, 2400, 327 },      /* the same moment again: an event goes on */
		{ 960, 2280, 327 - 20 }, /* measured against the last that counted */
		{ 9000000, 2440, 307 },  /* the source set its clock anew */
		{ 9000160, 2600, 307 - 19 },
		{ 2400, 2760, 288 }, /* and back, by more than half the circle or not */
	};
	struct rtp_count c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct rtp_header h = { .sequence = (uint16_t)i,
					.ssrc = 1,
					.timestamp = packets[i].timestamp };

		rtp_count(&c, &h, packets[i].arrival);
		assert_int_equal(c.jitter_16, packets[i].jitter_16);
	}
	assert_int_equal(rtp_jitter_us(&c, 8000), 288 / 16 * 125);
	assert_int_equal(rtp_jitter_us(&c, 0), 288 / 16 * 125);
	assert_int_equal(rtp_jitter_us(&c, 48000), 375);
}

static void jitter_of_a_steady_swing_rises_towards_it(void **state)
{
	struct rtp_count c = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		struct rtp_header h = { .sequence = (uint16_t)i, .timestamp = 160 * i, .ssrc = 1 };

		rtp_count(&c, &h, 160 * i + (i % 2) * 160 + UINT32_MAX - 4000); /* wraps */
	}
	assert_in_range(rtp_jitter_us(&c, 8000), 19500, 20000);
}

/* The widest differences there are: nothing overflows (UBSan), nothing is counted. */
static void a_clock_that_jumps_is_no_jitter(void **state)
{
	static const uint32_t stamp[] = { 0, 0x80000000, 0, 0x7fffffff, 0xffffffff, 1, 0x80000001 };
	struct rtp_count c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(stamp) / sizeof(stamp[0]); i++)
		rtp_count(&c,
			  &(struct rtp_header){ .sequence = (uint16_t)i, .timestamp = stamp[i] },
			  0);
	assert_int_equal(c.jitter_16 / 16, 0);
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
	assert_int_equal(rtp_mos_100(1, 1000000000000, 0), 100);
}

static void quality_falls_with_jitter(void **state)
{
	uint32_t last = 451;

	(void)state;
	for (uint32_t jitter_us = 0; jitter_us < 2000000; jitter_us += 5000) {
		uint32_t mos = rtp_mos_100(1000, 0, jitter_us);

		assert_in_range(mos, 100, 450);
		assert_true(mos <= last);
		last = mos;
	}
	assert_int_equal(rtp_mos_100(1000, 0, UINT32_MAX), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_whose_lengths_do_not_fit_are_refused),
		cmocka_unit_test(a_fax_has_a_first_part_and_something_behind_it),
		cmocka_unit_test(the_fields_of_a_header_are_read),
		cmocka_unit_test(a_compound_of_rtcp_must_add_up),
		cmocka_unit_test(the_ssrc_of_a_report_is_its_senders),
		cmocka_unit_test(what_is_missing_is_counted),
		cmocka_unit_test(another_ssrc_starts_anew_and_keeps_what_was_lost),
		cmocka_unit_test(loss_is_counted_over_many_rounds_of_the_sequence),
		cmocka_unit_test(jitter_is_that_of_rfc_3550),
		cmocka_unit_test(jitter_of_a_steady_swing_rises_towards_it),
		cmocka_unit_test(a_clock_that_jumps_is_no_jitter),
		cmocka_unit_test(quality_falls_with_loss),
		cmocka_unit_test(quality_falls_with_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
