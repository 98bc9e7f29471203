/* Packets at an RTCP port: reading never leaves the packet, and a compound that passes adds up. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walks what was found good: each part ends where the next begins, the last one at the end. */
static void walk(const uint8_t *p, size_t size)
{
	size_t at = 0;

	while (at < size) {
		assert(at + 4 <= size && p[at] >> 6 == 2 && p[at + 1] >= 192 && p[at + 1] <= 223);
		at += 4 + ((size_t)p[at + 2] << 8 | p[at + 3]) * 4;
	}
	assert(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* of its own, so that a byte too far is seen */
	uint32_t ssrc;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (rtcp_read(str_n(copy, size), &ssrc)) {
		assert(size >= 8 && size % 4 == 0);
		walk(copy, size);
		/* cut short it never is one, unless at the end of a part */
		assert(!rtcp_read(str_n(copy, size - 1), &ssrc));
	}
	free(copy);
	return 0;
}
