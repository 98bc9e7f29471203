/*
 * A URI or a name-addr. What is read lies inside of what was given, in order, and a number has the
 * characters that numbers have.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/lex.h"
#include "sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct str piece, struct str whole)
{
	return piece.n == 0 || (piece.p >= whole.p && piece.p + piece.n <= whole.p + whole.n);
}

static void check_number(const struct uri *u)
{
	char room[64];
	struct buf out = buf_fixed(room, sizeof(room));

	if (uri_number(u, &out) < 0) {
		assert(out.n == 0);
		return;
	}
	assert(out.n >= 1 && out.n <= 40);
	for (size_t i = 0; i < out.n; i++)
		assert(lex_is_token(str_n(room + i, 1)) || room[i] == '#');
}

static void check_uri(struct str text)
{
	struct uri u;
	struct str value;

	if (uri_parse(text, &u) < 0)
		return;
	assert(!str_has_control(text));
	assert(is_inside(u.user, text) && is_inside(u.host, text));
	assert(is_inside(u.params, text) && is_inside(u.headers, text));
	assert(u.host.n || u.scheme == URI_TEL || u.scheme == URI_OTHER);
	assert(uri_same_place(&u, &u));
	if (uri_param(&u, "lr", &value))
		assert(is_inside(value, u.params));
	check_number(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);
	struct name_addr a;

	check_uri(text);
	if (lex_name_addr(text, &a) < 0)
		return 0;
	assert(a.uri.n && is_inside(a.display, text) && is_inside(a.uri, text));
	assert(is_inside(a.params, text));
	check_uri(a.uri);
	return 0;
}
