/*
 * Packets at a media port: reading never leaves the packet, what passes has the lengths that it
 * says, and counting never goes backwards.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp.h"

enum { TRAIN = 18, HEADER = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own, so that a byte too far is seen. */
static void one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct rtp_header h;

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (udptl_read(str_n(copy, size)))
		assert(size > 4 &&
		       (copy[2] < 0x80 ? 3 + copy[2] : 4 + ((copy[2] & 0x7f) << 8 | copy[3])) <
			       (int)size);
	if (rtp_read(str_n(copy, size), &h)) {
		size_t csrc = (copy[0] & 0x0f) * 4u, padding = copy[0] & 0x20 ? copy[size - 1] : 0;

		assert(copy[0] >> 6 == 2 && h.payload_type < 128);
		assert(HEADER + csrc + padding <= size);
		/* nothing but version, CSRC, extension and padding makes a header bad */
		copy[0] = 0x80;
		assert(rtp_read(str_n(copy, size), &h));
	}
	free(copy);
}

/* The same bytes as a train of small packets, the last two of each its arrival. */
static void train(const uint8_t *data, size_t size)
{
	struct rtp_count count = { 0 };
	uint32_t arrival = 0;
	uint64_t received = 0;

	for (size_t at = 0; at + TRAIN <= size; at += TRAIN) {
		const uint8_t *p = data + at;
		struct rtp_header h;

		arrival += (uint32_t)p[TRAIN - 2] << 8 | p[TRAIN - 1];
		if (!rtp_read(str_n(p, TRAIN - 2), &h))
			continue;
		rtp_count(&count, &h, arrival);
		received++;

		uint64_t lost = rtp_lost(&count);
		uint32_t jitter_us = rtp_jitter_us(&count, 8000);
		uint32_t mos = rtp_mos_100(received, lost, jitter_us);

		assert(count.received <= received && lost < received * 3001);
		assert(jitter_us <= 10000000 && mos >= 100 && mos <= 450);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(data, size);
	train(data, size);
	return 0;
}
