#include "golive/tone.h"

#include <math.h>

enum { LOUDNESS = 8000, SILENCE = 200 };

/* ---- G.711 ---- */

/* The number of the chord: how often a magnitude can be halved before it fits the first one. */
static int chord_of(int magnitude, int first)
{
	int chord = 0;

	while (magnitude > first && chord < 7) {
		magnitude >>= 1;
		chord++;
	}
	return chord;
}

/* 13 bits, chords begin at 0, 32, 64, 128 ...; even bits are inverted on the line. */
static uint8_t a_encode(int sample)
{
	bool is_negative = sample < 0;
	int m = (is_negative ? -1 - sample : sample) >> 3;
	int chord = chord_of(m >> 1, 15);
	int step = chord == 0 ? m >> 1 : m >> chord;

	return (uint8_t)(((is_negative ? 0x00 : 0x80) | chord << 4 | (step & 15)) ^ 0x55);
}

static int a_decode(uint8_t octet)
{
	int v = octet ^ 0x55, chord = v >> 4 & 7;
	int m = (v & 15) << 1 | 1;

	if (chord > 0)
		m = (m | 32) << (chord - 1);
	m <<= 3;
	return v & 0x80 ? m : -m;
}

/* 14 bits with a bias of 33 (132 in 16 bits); all bits are inverted on the line. */
static uint8_t mu_encode(int sample)
{
	bool is_negative = sample < 0;
	int m = (is_negative ? -sample : sample);

	m = (m > 32635 ? 32635 : m) + 132;
	int chord = chord_of(m >> 3, 31);

	return (uint8_t) ~((is_negative ? 0x80 : 0x00) | chord << 4 | (m >> (chord + 3) & 15));
}

static int mu_decode(uint8_t octet)
{
	int v = ~octet & 0xff;
	int m = (((v & 15) << 3 | 132) << (v >> 4 & 7)) - 132;

	return v & 0x80 ? -m : m;
}

uint8_t law_encode(enum law law, int16_t sample)
{
	return law == LAW_A ? a_encode(sample) : mu_encode(sample);
}

int16_t law_decode(enum law law, uint8_t octet)
{
	return (int16_t)(law == LAW_A ? a_decode(octet) : mu_decode(octet));
}

/* ---- the sine ---- */

static double turn(int hz)
{
	return 2.0 * M_PI * hz / TONE_RATE;
}

void tone_fill(struct tone *t, enum law law, uint8_t *out, int n)
{
	for (int i = 0; i < n; i++) {
		double angle = turn(t->hz) * (double)(t->at++ % TONE_RATE);

		out[i] = law_encode(law, (int16_t)lrint(LOUDNESS * sin(angle)));
	}
}

int tone_share(enum law law, const uint8_t *in, int n, int hz)
{
	double k = 2.0 * cos(turn(hz)), before = 0, last = 0, energy = 0;

	for (int i = 0; i < n; i++) {
		double x = law_decode(law, in[i]), now = x + k * last - before;

		before = last;
		last = now;
		energy += x * x;
	}
	if (n <= 0 || energy < (double)n * SILENCE)
		return 0;
	/* |X|² of a sine of amplitude A is A²n²/4, the energy of its samples A²n/2. */
	double power = last * last + before * before - k * last * before;

	return (int)lrint(100.0 * 2.0 * power / (n * energy));
}
