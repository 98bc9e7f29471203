/*
 * frame: where in a stream of bytes does the next message end?
 *
 * By Content-Length, RFC 3261 §18.3. The bytes come as they please; each is looked at a fixed
 * number of times however they are cut. Limits: security.md P1, P4.
 */
#pragma once

#include "base/str.h"

enum { FRAME_HEAD_MAX = 16 * 1024, FRAME_BODY_MAX = 64 * 1024 };
enum { FRAME_MAX = FRAME_HEAD_MAX + FRAME_BODY_MAX };

enum frame_verdict {
	FRAME_MORE,    /* not complete */
	FRAME_MESSAGE, /* a message of *ret_n bytes */
	FRAME_SKIP,    /* line ends between messages */
	FRAME_PING,    /* CRLF CRLF between messages: answered with CRLF (RFC 5626 §3.5.1) */
	FRAME_BROKEN,  /* headers of *ret_n bytes that do not say how long the body is */
	FRAME_TOO_LONG /* no end of the headers within the limit */
};

/* What is known of the message that the bytes begin with. All 0 at the start. */
struct frame {
	size_t scanned; /* no end of the headers before this */
	size_t size;    /* of the whole message; 0: headers not complete yet */
};

/*
 * Looks at the bytes from the start of a message on. The caller takes *ret_n bytes off before it
 * asks again, unless the verdict is FRAME_MORE: then it asks again with more bytes behind these.
 * After FRAME_BROKEN and FRAME_TOO_LONG nothing can be found any more.
 */
enum frame_verdict frame_next(struct frame *f, struct str bytes, size_t *ret_n);
