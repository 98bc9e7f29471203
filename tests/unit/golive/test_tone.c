#include "golive/tone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dice.h"

static const enum law laws[] = { LAW_A, LAW_MU };

/* Values of ITU-T G.711, tables 1 and 2: decision and quantised values at the ends and in between. */
static void the_codes_are_those_of_the_standard(void **state)
{
	static const struct {
		enum law law;
		uint8_t code;
		int16_t sample;
	} cases[] = {
		{ LAW_A, 0xd5, 8 },       { LAW_A, 0x55, -8 },    { LAW_A, 0xaa, 32256 },
		{ LAW_A, 0x2a, -32256 },  { LAW_A, 0x80, 5504 },  { LAW_A, 0xc5, 264 },
		{ LAW_MU, 0xff, 0 },      { LAW_MU, 0x7f, 0 },    { LAW_MU, 0x80, 32124 },
		{ LAW_MU, 0x00, -32124 }, { LAW_MU, 0xfe, 8 },    { LAW_MU, 0x7e, -8 },
		{ LAW_MU, 0xef, 132 },    { LAW_MU, 0x6f, -132 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(law_decode(cases[i].law, cases[i].code), cases[i].sample);
}

/* Every code is a fixed point (0x7f, minus nothing, becomes 0xff), and codes grow with samples. */
static void decoding_and_encoding_agree(void **state)
{
	(void)state;
	for (size_t l = 0; l < 2; l++) {
		for (int code = 0; code < 256; code++) {
			int16_t sample = law_decode(laws[l], (uint8_t)code);
			uint8_t back = law_encode(laws[l], sample);

			assert_int_equal(law_decode(laws[l], back), sample);
			if (sample != 0)
				assert_int_equal(back, code);
		}
	}
}

/* What is lost is less than half a step, which is a 32nd of the value, or the smallest step. */
static void a_sample_comes_back_nearly(void **state)
{
	(void)state;
	for (size_t l = 0; l < 2; l++) {
		for (int sample = -32000; sample <= 32000; sample++) {
			int back = law_decode(laws[l], law_encode(laws[l], (int16_t)sample));

			assert_true(abs(back - sample) <= abs(sample) / 31 + 16);
		}
	}
}

static void a_tone_is_heard_and_no_other(void **state)
{
	uint8_t frame[TONE_FRAME];

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		for (int hz = 300; hz <= 3400; hz += 50) {
			struct tone t = { .hz = hz, .at = (uint32_t)hz };

			tone_fill(&t, laws[l], frame, TONE_FRAME);
			assert_true(tone_share(laws[l], frame, TONE_FRAME, hz) >= 98);
			assert_true(tone_share(laws[l], frame, TONE_FRAME, hz + 50) <= 2);
			assert_true(tone_share(laws[l], frame, TONE_FRAME, hz - 50) <= 2);
		}
	}
}

/* Frame for frame the same sine: a generator that began anew at each would click. */
static void a_tone_goes_on_from_frame_to_frame(void **state)
{
	struct tone whole = { .hz = 440 }, pieces = { .hz = 440 };
	uint8_t a[800], b[800];

	(void)state;
	tone_fill(&whole, LAW_A, a, 800);
	for (int i = 0; i < 800; i += 100)
		tone_fill(&pieces, LAW_A, b + i, 100);
	assert_memory_equal(a, b, sizeof(a));
}

static void silence_and_noise_are_no_tone(void **state)
{
	struct dice d = { 1 };
	uint8_t frame[TONE_FRAME];

	(void)state;
	for (int i = 0; i < TONE_FRAME; i++)
		frame[i] = 0xd5;
	assert_int_equal(tone_share(LAW_A, frame, TONE_FRAME, 700), 0);
	assert_int_equal(tone_share(LAW_A, frame, 0, 700), 0);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < TONE_FRAME; i++)
			frame[i] = (uint8_t)dice_in(&d, 0, 255);
		assert_true(tone_share(LAW_MU, frame, TONE_FRAME, 700) < 40);
	}
}

/* The other law's octets are noise: a switch that names the wrong codec is found out. */
static void the_wrong_law_is_not_the_tone(void **state)
{
	struct tone t = { .hz = 1100 };
	uint8_t frame[TONE_FRAME];

	(void)state;
	tone_fill(&t, LAW_A, frame, TONE_FRAME);
	assert_true(tone_share(LAW_MU, frame, TONE_FRAME, 1100) < 95);
	tone_fill(&t, LAW_MU, frame, TONE_FRAME);
	assert_true(tone_share(LAW_A, frame, TONE_FRAME, 1100) < 95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_are_those_of_the_standard),
		cmocka_unit_test(decoding_and_encoding_agree),
		cmocka_unit_test(a_sample_comes_back_nearly),
		cmocka_unit_test(a_tone_is_heard_and_no_other),
		cmocka_unit_test(a_tone_goes_on_from_frame_to_frame),
		cmocka_unit_test(silence_and_noise_are_no_tone),
		cmocka_unit_test(the_wrong_law_is_not_the_tone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
