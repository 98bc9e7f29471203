/*
 * uri: sip:, sips: and tel: URIs, in slices of the text they were read from.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

struct uri {
	enum uri_scheme scheme;
	struct str user; /* as written, escapes and user parameters included; of tel: the number */
	struct str host; /* brackets of IPv6 taken off */
	uint16_t port;   /* 0: none given */
	struct str params;  /* behind the first ';' after the host, without headers */
	struct str headers; /* behind the '?' */
};

/*
 * 0 or -EINVAL. Refused are control octets and anything else that is no URI character, escaped
 * control octets in the user (%00), broken escapes, ports over 65535. Of another scheme (URI_OTHER)
 * nothing but the scheme is read.
 */
int uri_parse(struct str text, struct uri *ret);
/* "host:port", "[2001:db8::1]"; port 0: none given. 0 or -EINVAL. */
int uri_host_port(struct str s, struct str *ret_host, uint16_t *ret_port);
/*
 * The value of a parameter; false if it is not there (an empty value is a parameter without one).
 */
bool uri_param(const struct uri *u, const char *name, struct str *ret);
/*
 * The dialled digits: unescaped, user parameters and visual separators taken off, a leading '+' too
 * (behaviour.md "Who is calling"). -EINVAL if what is left is not a number of 1 to 40 of [0-9*#],
 * or a plain user name of 1 to 40 of [A-Za-z0-9._-] with a letter in it (then nothing is taken off
 * but the parameters).
 */
int uri_number(const struct uri *u, struct buf *out);
/* The same user (escapes resolved) at the same host? Scheme, port and parameters do not count. */
bool uri_same_place(const struct uri *a, const struct uri *b);
