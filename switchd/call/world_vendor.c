#include <errno.h>
#include <stdlib.h>

#include "call/world_gateway.h"
#include "sip/uri.h"

/* A vendor beyond its lists: where it can be reached, and as whom the switch registers there. */

static void add_address(struct vendor *v, const struct addr *a, const struct spot *s)
{
	if (v->address_count == VENDOR_ADDRESSES_MAX)
		return;
	v->address[v->address_count] = *a;
	v->spot[v->address_count++] = *s;
}

static void add_name(struct vendor *v, struct str item, uint32_t rank, const struct world_input *in)
{
	struct spot s = { 0 };
	struct dns_answer found;

	v->has_names = true;
	if (dns_name_parse(item, &s.host, &s.port) < 0)
		return;
	if (!in->find_host || !in->find_host(in->ctx, s.host, s.port, v->proto, &found)) {
		v->lacks_names = true;
		return;
	}
	for (int i = 0; i < found.count; i++) {
		s.rank = rank + found.target[i].priority;
		s.weight = found.target[i].weight;
		add_address(v, &found.target[i].addr, &s);
	}
}

bool vendor_is_name_server(const struct routing_gateway_row *row)
{
	return row->purpose == ROUTING_GATEWAY_PURPOSE_PORTABILITY &&
	       row->portability_by == ROUTING_GATEWAY_PORTABILITY_BY_ENUM;
}

uint16_t vendor_port(const struct vendor *v)
{
	return vendor_is_name_server(v->row) ? DNS_PORT : proto_port(v->proto);
}

int vendor_resolve(struct vendor *v, const struct world_input *in)
{
	struct str list = str_of(v->row->address), item;
	uint32_t rank = 0;

	v->address = calloc(VENDOR_ADDRESSES_MAX, sizeof(*v->address));
	v->spot = calloc(VENDOR_ADDRESSES_MAX, sizeof(*v->spot));
	if (!v->address || !v->spot)
		return -ENOMEM;
	for (; str_split(&list, ',', &item); rank += UINT16_MAX + 1) {
		struct addr a;
		struct spot s = { .rank = rank };

		if (addr_parse(item, vendor_port(v), &a) == 0)
			add_address(v, &a, &s);
		else
			add_name(v, item, rank, in);
	}
	return 0;
}

struct tls_policy vendor_tls(const struct vendor *v, const struct addr *a)
{
	struct tls_policy p = v->tls;

	for (int i = 0; p.name.n == 0 && i < v->address_count; i++) {
		if (addr_eq(&v->address[i], a))
			p.name = v->spot[i].host;
	}
	return p;
}

void vendor_put_place(const struct vendor *v, int n, struct buf *out)
{
	const struct spot *s = &v->spot[n];
	char text[ADDR_TEXT];

	if (s->host.n == 0) {
		buf_putz(out, addr_text(&v->address[n], text));
		return;
	}
	buf_put(out, s->host);
	if (s->port)
		buf_printf(out, ":%u", s->port);
}

int vendor_find_reach(struct vendor *v, const struct world_input *in)
{
	v->reach = calloc((size_t)v->address_count + 1, sizeof(struct reach *));
	for (int i = 0; v->reach && i < v->address_count; i++) {
		char host[ADDR_TEXT];
		CLEANUP(buf_done) struct buf text = BUF_INIT;

		buf_printf(&text, "%s:%s", proto_name(v->proto), addr_text(&v->address[i], host));

		const char *address = buf_cstr(&text);

		v->reach[i] = address ? in->find_reach(in->ctx, v->row->name, address) : NULL;
		if (!v->reach[i])
			return -ENOMEM;
	}
	return v->reach ? 0 : -ENOMEM;
}

enum reach_health vendor_health(const struct vendor *v, ms_t *ret_since)
{
	bool is_up = false, is_down = v->address_count > 0;

	*ret_since = 0;
	for (int i = 0; i < v->address_count; i++) {
		int health = atomic_load(&v->reach[i]->health);
		ms_t since = atomic_load(&v->reach[i]->since_ms);

		is_up |= health == REACH_UP;
		is_down &= health == REACH_DOWN;
		if (since > *ret_since)
			*ret_since = since;
	}
	return is_up ? REACH_UP : is_down ? REACH_DOWN : REACH_UNPROBED;
}

enum reach_place vendor_place(const struct vendor *v)
{
	int place = REACH_NO_PLACE;

	for (int i = 0; i < v->address_count; i++) {
		int p = atomic_load(&v->reach[i]->place);

		if (p == REACH_REGISTERED)
			return REACH_REGISTERED;
		if (p > place)
			place = p;
	}
	return (enum reach_place)place;
}

struct str vendor_register_user(const struct routing_gateway_row *row)
{
	return str_of(row->register_user ? row->register_user : row->user);
}

struct str vendor_contact_user(const struct routing_gateway_row *row)
{
	return row->contact_user ? str_of(row->contact_user) : vendor_register_user(row);
}

/* Does it stand in a URI as what it is meant to be, and as nothing else? */
static bool fits(struct str user, struct str host)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct uri u;

	buf_printf(&text, "sip:%.*s@%.*s", STR_ARG(user), STR_ARG(host));
	return buf_error(&text) == 0 && uri_parse(buf_str(&text), &u) == 0 &&
	       str_eq(u.user, user) && u.host.n > 0 && u.params.n == 0 && u.headers.n == 0;
}

int vendor_check_registration(const struct routing_gateway_row *row, struct err *err)
{
	struct str user = vendor_register_user(row), contact = vendor_contact_user(row);
	struct str host = row->register_domain ? str_of(row->register_domain) : STR("host");

	if (!row->registration)
		return 0;
	if (!row->user || !row->password)
		return err_set(err, ERR_MISSING_FIELD, row->user ? "password" : "user", str_of(""),
			       "user and password of the account at the vendor",
			       "a registration needs both");
	if (!fits(user, STR("host")))
		return err_set(err, ERR_BAD_VALUE, row->register_user ? "register_user" : "user",
			       user,
			       "the user part of a SIP URI; register_user if it is not that of the "
			       "digest",
			       "cannot stand in a SIP URI");
	if (!fits(contact, STR("host")))
		return err_set(err, ERR_BAD_VALUE, "contact_user", contact,
			       "the user part of a SIP URI", "cannot stand in a SIP URI");
	if (!fits(user, host))
		return err_set(err, ERR_BAD_VALUE, "register_domain", host,
			       "a host name or address, such as sip.example.com",
			       "cannot stand in a SIP URI");
	return 0;
}
