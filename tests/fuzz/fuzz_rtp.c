/* Packets at a media port: reading never leaves the packet, counting never goes backwards. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_count count = { 0 };
	struct rtp_header h;
	uint64_t lost = 0;

	(void)rtcp_is_valid(str_n(data, size));
	/* the same bytes as a train of small packets */
	for (size_t at = 0; at + 16 <= size; at += 16) {
		if (!rtp_read(str_n(data + at, 16), &h))
			continue;
		rtp_count(&count, &h, (uint32_t)at);
		lost = rtp_lost(&count);
		assert(rtp_mos_100(size / 16, lost, rtp_jitter_us(&count, 8000)) <= 450);
	}
	(void)rtp_read(str_n(data, size), &h);
	return 0;
}
