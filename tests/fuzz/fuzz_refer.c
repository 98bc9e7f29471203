/*
 * What REFER and NOTIFY carry: whatever it is, what is passed on is ours, of lines that end where they should.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sip/lex.h"
#include "sip/refer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whole lines of visible text. */
static void is_sound(struct buf *b)
{
	struct str s = buf_str(b);

	assert(buf_error(b) == 0 && (s.n == 0 || str_has_suffix(s, STR("\r\n"))));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			assert(s.p[++i] == '\n');
		else
			assert(s.p[i] >= ' ' && s.p[i] <= '~');
	}
}

static void replaces(struct str headers)
{
	char room[512];
	struct buf text = buf_fixed(room, sizeof(room));
	struct replaces r;
	int n = refer_replaces(headers, &text, &r);

	assert(n <= 1);
	if (n == 1)
		assert(lex_is_visible(r.call_id) && lex_is_visible(r.to_tag) &&
		       lex_is_visible(r.from_tag));
}

static void header(struct str value)
{
	struct replaces r;

	if (refer_read_replaces(value, &r) == 0)
		assert(lex_is_visible(r.call_id) && lex_is_visible(r.to_tag) &&
		       lex_is_visible(r.from_tag));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n(data, size);
	CLEANUP(buf_done) struct buf state = BUF_INIT, progress = BUF_INIT, summary = BUF_INIT;
	bool is_over;

	replaces(s);
	header(s);
	/* A header's value has no control octet: the parser sees to that. */
	if (!str_has_control(s) && refer_put_state(s, &state, &is_over))
		is_sound(&state);
	if (refer_put_progress(s, &progress))
		is_sound(&progress);
	refer_put_summary(s, &summary);
	is_sound(&summary);
	return 0;
}
