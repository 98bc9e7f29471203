/*
 * What looks at bytes before there is a message: steering, which gives some worker for anything, and
 * the framer of streams, which finds the same messages however the bytes are cut.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/frame.h"
#include "transport/steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Frames the bytes in pieces of `step`; a number that depends on every verdict. */
static uint64_t frame_all(struct str all, size_t step)
{
	struct frame f = { 0 };
	size_t seen = step < all.n ? step : all.n, n = 0;
	uint64_t sum = 1;

	for (;;) {
		enum frame_verdict v = frame_next(&f, str_head(all, seen), &n);

		if (v == FRAME_MORE) {
			if (seen == all.n)
				return sum;
			seen = all.n - seen < step ? all.n : seen + step;
			continue;
		}
		if (v == FRAME_BROKEN || v == FRAME_TOO_LONG)
			return sum * 31 + v;
		assert(n > 0 && n <= seen);
		if (v == FRAME_MESSAGE)
			sum = sum * 31 + n;
		all = str_skip(all, n);
		seen -= n;
		f = (struct frame){ 0 };
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str raw = str_n(data, size);

	for (int workers = 1; workers <= 64; workers *= 4) {
		int w = steer_peek(raw, workers);

		assert(w >= 0 && w < workers);
		assert(w == steer_peek(raw, workers));
	}
	(void)steer_token_worker(raw);

	uint64_t whole = frame_all(raw, size + 1);

	assert(frame_all(raw, 7) == whole);
	assert(size > 4096 || frame_all(raw, 1) == whole);
	return 0;
}
