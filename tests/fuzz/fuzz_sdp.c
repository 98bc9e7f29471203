/*
 * A body that says it is a session description. What is taken is written again as ours, and that must
 * be taken too, have the same streams, and be written the same way once more.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sdp_origin origin = { 77, 3 };

static void put(const struct sdp *s, const struct addr *rtp, struct buf *out)
{
	assert(sdp_put(s, &origin, &rtp[0], rtp, out) == 0);
}

static void same(const struct sdp_media *a, const struct sdp_media *b)
{
	assert(a->is_audio == b->is_audio && a->ptime_ms == b->ptime_ms);
	assert(a->payload_count == b->payload_count && str_eq(a->codec, b->codec));
	for (int i = 0; i < a->payload_count; i++)
		assert(a->payload[i] == b->payload[i]);
	assert((addr_port(&a->rtp) == 0) == (addr_port(&b->rtp) == 0));
}

static void write_twice(const struct sdp *s, const struct addr *rtp)
{
	CLEANUP(sdp_free) struct sdp *again = NULL;
	struct buf first = BUF_INIT, second = BUF_INIT;
	const char *what;

	put(s, rtp, &first);
	assert(sdp_parse(&again, buf_str(&first), &what) == 0);
	assert(sdp_media_count(again) == sdp_media_count(s));
	for (int i = 0; i < sdp_media_count(s); i++)
		same(sdp_media_at(s, i), sdp_media_at(again, i));
	assert(sdp_is_hold(s) == sdp_is_hold(again));
	put(again, rtp, &second);
	assert(str_eq(buf_str(&first), buf_str(&second)));
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	struct addr rtp[SDP_MEDIA_MAX];
	const char *what = NULL;
	struct buf direct = BUF_INIT;

	int r = sdp_parse(&s, str_n(data, size), &what);
	if (r < 0) {
		assert(r == -EBADMSG && what);
		return 0;
	}
	for (int i = 0; i < SDP_MEDIA_MAX; i++)
		assert(addr_parse(STR("198.51.100.1"), (uint16_t)(20000 + 2 * i), &rtp[i]) == 0);
	write_twice(s, rtp);

	r = sdp_put(s, &origin, &rtp[0], NULL, &direct);
	assert(r == 0 || r == -EADDRNOTAVAIL);
	buf_done(&direct);
	return 0;
}
