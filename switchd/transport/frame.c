#include "transport/frame.h"

#include <errno.h>
#include <stdbool.h>

#include "base/str.h"
#include "transport/field.h"

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* Between messages: keep-alives, and line ends that a sloppy sender puts behind a body. */
static enum frame_verdict between(struct str bytes, size_t *ret_n)
{
	const struct str ping = STR("\r\n\r\n");

	if (str_has_prefix(bytes, ping)) {
		*ret_n = ping.n;
		return FRAME_PING;
	}
	if (str_has_prefix(ping, bytes))
		return FRAME_MORE;
	*ret_n = 1;
	return FRAME_SKIP;
}

/*
 * The length of the headers with their blank line; 0 if it is not there yet. A line end that cannot
 * be judged before the next byte comes is left for the next time.
 */
static size_t find_head_end(struct frame *f, struct str bytes)
{
	const char *lf;

	while ((lf = memchr(bytes.p + f->scanned, '\n', bytes.n - f->scanned))) {
		size_t i = (size_t)(lf - bytes.p);
		struct str after = str_skip(bytes, i + 1);

		if (str_has_prefix(after, STR("\n")))
			return i + 2;
		if (str_has_prefix(after, STR("\r\n")))
			return i + 3;
		if (after.n == 0 || (after.n == 1 && after.p[0] == '\r')) {
			f->scanned = i;
			return 0;
		}
		f->scanned = i + 1;
	}
	f->scanned = bytes.n;
	return 0;
}

static bool is_content_length(struct str name)
{
	return str_ieq(name, STR("l")) || str_ieq(name, STR("Content-Length"));
}

/* 0; -EBADMSG if there are two that differ or one that is no number up to the limit. */
static int read_content_length(struct str head, uint64_t *ret)
{
	struct field f;
	uint64_t length = 0;
	bool is_known = false;

	(void)field_start_line(&head);
	while (field_next(&head, &f)) {
		uint64_t n;

		if (!is_content_length(f.name))
			continue;
		if (str_to_u64(f.value, FRAME_BODY_MAX, &n) < 0 || (is_known && n != length))
			return -EBADMSG;
		length = n;
		is_known = true;
	}
	*ret = length;
	return 0;
}

enum frame_verdict frame_next(struct frame *f, struct str bytes, size_t *ret_n)
{
	if (bytes.n == 0)
		return FRAME_MORE;
	if (f->size == 0 && is_line_end(bytes.p[0]))
		return between(bytes, ret_n);

	if (f->size == 0) {
		size_t head = find_head_end(f, bytes);
		uint64_t body;

		if (head > FRAME_HEAD_MAX || (head == 0 && bytes.n > FRAME_HEAD_MAX))
			return FRAME_TOO_LONG;
		if (head == 0)
			return FRAME_MORE;
		if (read_content_length(str_head(bytes, head), &body) < 0) {
			*ret_n = head;
			return FRAME_BROKEN;
		}
		f->size = head + body;
	}

	if (bytes.n < f->size)
		return FRAME_MORE;
	*ret_n = f->size;
	*f = (struct frame){ 0 };
	return FRAME_MESSAGE;
}
