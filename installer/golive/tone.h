/*
 * tone: a sine in G.711 and what is left of it at the other end.
 *
 * A frame of 20 ms (TONE_FRAME samples) holds whole periods of any multiple of 50 Hz, so two such
 * tones do not disturb each other's measurement.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TONE_RATE = 8000, TONE_FRAME = 160 };

enum law { LAW_A, LAW_MU };

uint8_t law_encode(enum law law, int16_t sample);
int16_t law_decode(enum law law, uint8_t octet);

struct tone {
	int hz;
	uint32_t at; /* samples made so far */
};

/* The next n samples, at about -10 dBm0. */
void tone_fill(struct tone *t, enum law law, uint8_t *out, int n);
/*
 * How much of what was received is the tone (Goertzel): its share of the energy in percent. 0 for
 * silence, which has no tone.
 */
int tone_share(enum law law, const uint8_t *in, int n, int hz);
