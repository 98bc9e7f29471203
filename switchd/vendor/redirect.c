#include "vendor/redirect.h"

#include <errno.h>

#include "sip/lex.h"

void redirect_begin(struct redirect *r, const struct addr *first)
{
	r->been[0] = *first;
	r->count = 1;
}

static bool is_among(const struct addr *list, int n, const struct addr *a)
{
	for (int i = 0; i < n; i++) {
		if (addr_eq(&list[i], a))
			return true;
	}
	return false;
}

/* Nothing is sent to a group or to nowhere, whoever asks for it; ourselves the transport refuses. */
static bool address_of(struct str contact, struct str user, struct addr *ret)
{
	struct name_addr a;
	struct uri u;

	return lex_name_addr(contact, &a) == 0 && uri_parse(a.uri, &u) == 0 &&
	       u.scheme == URI_SIP && (u.user.n == 0 || user.n == 0 || str_eq(u.user, user)) &&
	       addr_parse(u.host, u.port ? u.port : proto_port(PROTO_UDP), ret) == 0 &&
	       !addr_is_any(ret) && !addr_is_multicast(ret);
}

int redirect_next(struct redirect *r, const struct msg *m, enum redirect_rule rule,
		  const struct addr *own, int own_count, struct str user, struct addr *ret)
{
	struct str value, contact;

	if (rule == REDIRECT_OFF || r->count > REDIRECT_MAX)
		return -ELOOP;
	for (int n = 0; msg_header(m, "Contact", n, &value); n++) {
		while (lex_split(&value, ',', &contact)) {
			struct addr a;

			if (!address_of(contact, user, &a) || is_among(r->been, r->count, &a) ||
			    (rule == REDIRECT_OWN && !is_among(own, own_count, &a)))
				continue;
			r->been[r->count++] = a;
			*ret = a;
			return 0;
		}
	}
	return -ELOOP;
}
