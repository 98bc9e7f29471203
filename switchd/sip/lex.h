/*
 * lex: the pieces that SIP headers are made of (RFC 3261 §25): tokens, lists, parameters, quoted
 * strings, name-addr.
 *
 * Everything is a slice of the text given; nothing is copied or changed.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* One or more token characters. */
bool lex_is_token(struct str s);
/*
 * Takes the next element before `sep` off the front of *rest, trimmed, and says true; false when
 * *rest is used up. A separator inside "..." or <...> does not count.
 */
bool lex_split(struct str *rest, char sep, struct str *ret);
/*
 * Parameters that are what they seem, ";a=b;c": none is empty, names are tokens, values are not
 * empty, quotes are closed, and nothing stands in them that ends an element of a list. So more can be
 * written behind them.
 */
bool lex_is_sound(struct str params);
/*
 * The value of a parameter of ";a=b;c" (blanks around '=' and ';' allowed); empty for one without
 * value. The first one counts.
 */
bool lex_param(struct str params, struct str name, struct str *ret);
/*
 * Is it one quoted string from first to last octet? *ret is what stands between the quotes, its
 * escapes kept.
 */
bool lex_quoted(struct str s, struct str *ret);
/*
 * One or more octets of visible ASCII: what a Call-ID, tag or branch is made of, at the most
 * generous.
 */
bool lex_is_visible(struct str s);
/*
 * The value of a parameter that identifies (tag, branch), empty if there is none. -EINVAL if it is
 * there twice, without a value, or with one that is no identifier.
 */
int lex_identifier(struct str params, struct str name, struct str *ret);

struct name_addr {
	struct str display; /* without its quotes, escapes kept */
	struct str uri;     /* as written */
	struct str params;  /* header parameters: ";tag=1" or empty */
};

/*
 * 0 or -EINVAL. Of an addr-spec without <> everything behind the first ';' is a header parameter.
 */
int lex_name_addr(struct str s, struct name_addr *ret);
