#include "call/world_gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/htab.h"
#include "base/trie.h"
#include "call/identity.h"
#include "number/naptr.h"
#include "route/retry.h"

/* A list of networks; with_ports: each must name its port (auth=ip_port), else none may. */
static int compile_nets(struct str list, const char *field, bool with_ports, struct cidr **ret,
			int *ret_n, struct err *err)
{
	CLEANUP(free) struct cidr *nets = calloc(str_count(list, ',') + 1, sizeof(*nets));
	struct str item;
	int n = 0;

	if (!nets)
		return -ENOMEM;
	while (str_split(&list, ',', &item)) {
		if (str_is_empty(item))
			continue;
		if (cidr_parse(item, &nets[n]) < 0)
			return err_set(
				err, ERR_BAD_VALUE, field, item,
				"addresses or networks such as 198.51.100.7 or 198.51.100.0/24",
				"not an address or network");
		if (with_ports != (addr_port(&nets[n].net) != 0))
			return err_set(err, ERR_BAD_VALUE, field, item,
				       with_ports ? "address:port, as auth=ip_port asks"
						  : "an address without a port, or auth=ip_port",
				       "the port does not fit the authentication");
		n++;
	}
	*ret = TAKE(nets);
	*ret_n = n;
	return 0;
}

static int compile_tech(struct source *s, struct err *err)
{
	struct str list = str_of(s->row->tech_prefix), item;

	s->tech = calloc(str_count(list, ',') + 1, sizeof(*s->tech));
	if (!s->tech)
		return -ENOMEM;
	while (str_split(&list, ',', &item)) {
		if (!trie_is_key(item) || item.n > 20)
			return err_set(err, ERR_BAD_VALUE, "tech_prefix", item,
				       "prefixes of up to 20 digits, # and *", "not a tech prefix");
		if (item.n > 0)
			s->tech[s->tech_count++] = item;
	}
	return 0;
}

static int compile_pins(const char *list, struct buf *ret, struct err *err)
{
	if (tls_pins_parse(str_of(list), ret) < 0)
		return err_set(err, ERR_BAD_VALUE, "tls_pin", str_of(list),
			       "SHA-256 of a public key in 64 hex digits, several with commas",
			       "not the pin of a key");
	return buf_error(ret);
}

static int compile_certs(struct source *s, struct err *err)
{
	int r = compile_pins(s->row->tls_pin, &s->tls_pins, err);

	if (r < 0)
		return r;
	s->cert = calloc(s->tls_pins.n / TLS_PIN + 1, sizeof(*s->cert));
	if (!s->cert)
		return -ENOMEM;
	for (size_t at = 0; at < s->tls_pins.n; at += TLS_PIN)
		s->cert[s->cert_count++] = htab_hash(str_n(s->tls_pins.p + at, TLS_PIN));
	return 0;
}

static int check_before(const char *field, const char *digits, struct err *err)
{
	if (str_is_empty(str_of(digits)) || trie_is_key(str_of(digits)))
		return 0;
	return err_set(err, ERR_BAD_VALUE, field, str_of(digits), "0-9 * # +",
		       "cannot stand before a number");
}

int rules_compile(struct transform **ret, const char *rules, const char *field, struct err *err)
{
	int r = transform_create(ret, str_of(rules), err);

	if (r == -EINVAL)
		(void)str_copy(err->field, sizeof(err->field), str_of(field));
	return r;
}

int source_compile(struct source *s, struct err *err)
{
	const struct mapping_gateway_row *row = s->row;
	bool with_ports = row->auth == MAPPING_GATEWAY_AUTH_IP_PORT;

	if (row->local_address && addr_parse(str_of(row->local_address), 0, &s->local) < 0)
		return err_set(err, ERR_BAD_VALUE, "local_address", str_of(row->local_address),
			       "one of the switch's own addresses", "not an address");
	int r = compile_nets(str_of(row->address), "address", with_ports, &s->net, &s->net_count,
			     err);
	if (r == 0 && s->net_count == 0 && row->auth != MAPPING_GATEWAY_AUTH_PASSWORD)
		return err_set(err, ERR_MISSING_FIELD, "address", str_of(""),
			       "at least one address, or auth=password",
			       "no address to know the gateway by");
	if (r == 0 && !row->password && row->auth == MAPPING_GATEWAY_AUTH_PASSWORD)
		return err_set(err, ERR_MISSING_FIELD, "password", str_of(""), "a password",
			       "auth=password needs a password");
	if (r == 0)
		r = compile_tech(s, err);
	if (r == 0)
		r = rules_compile(&s->callee_rules, row->callee_rules, "callee_rules", err);
	if (r == 0)
		r = rules_compile(&s->caller_rules, row->caller_rules, "caller_rules", err);
	if (r == 0)
		r = compile_nets(str_of(row->media_nets), "media_nets", false, &s->media_net,
				 &s->media_net_count, err);
	if (r == 0)
		r = codes_parse(str_of(row->failure_codes), CODES_SIP, "failure_codes", &s->codes,
				err);
	if (r == 0)
		r = codes_parse(str_of(row->failure_causes), CODES_CAUSES, "failure_causes",
				&s->causes, err);
	if (r == 0)
		r = split_parse(str_of(row->split), &s->split, err);
	if (r == 0)
		r = check_before("interstate_prefix", row->interstate_prefix, err);
	if (r == 0)
		r = check_before("undetermined_prefix", row->undetermined_prefix, err);
	if (r == 0)
		r = compile_certs(s, err);
	if (r == 0 && !s->phone)
		r = screen_compile(&s->screen, &entities[ENTITY_MAPPING_GATEWAY], row, err);
	return r;
}

void source_done(struct source *s)
{
	screen_done(&s->screen);
	buf_done(&s->tls_pins);
	free(s->cert);
	transform_free(s->callee_rules);
	transform_free(s->caller_rules);
	free(s->net);
	free(s->tech);
	free(s->media_net);
	free(s->group);
	row_free(&entities[ENTITY_MAPPING_GATEWAY], s->row);
}

/* Only that it could be called: what is behind a name is found out later (vendor_resolve). */
static int check_place(const struct vendor *v, struct str item, struct err *err)
{
	struct addr a;
	struct str host;
	uint16_t port;

	if (addr_parse(item, vendor_port(v), &a) == 0
		    ? !addr_is_any(&a) && !addr_is_multicast(&a)
		    : !vendor_is_name_server(v->row) && dns_name_parse(item, &host, &port) == 0)
		return 0;
	if (vendor_is_name_server(v->row))
		return err_set(err, ERR_BAD_VALUE, "address", item,
			       "address or address:port, such as 203.0.113.53",
			       "not a name server's address");
	return err_set(err, ERR_BAD_VALUE, "address", item,
		       "address:port or a name, such as 203.0.113.5:5060 or sip.example.com",
		       "not a vendor's address");
}

static int compile_addresses(struct vendor *v, struct err *err)
{
	struct str list = str_of(v->row->address), item;
	int n = 0, r = 0;

	while (r == 0 && str_split(&list, ',', &item)) {
		r = check_place(v, item, err);
		n++;
	}
	if (r == 0 && n == 0)
		r = err_set(err, ERR_MISSING_FIELD, "address", str_of(""),
			    "at least one address:port", "no address to send calls to");
	if (r == 0 && n > VENDOR_ADDRESSES_MAX)
		r = err_set(err, ERR_BAD_VALUE, "address", item, "at most 64 addresses",
			    "too many addresses");
	return r;
}

static int compile_tls(struct vendor *v, struct err *err)
{
	static const enum tls_check checks[] = { [ROUTING_GATEWAY_TLS_VERIFY_NAME] = TLS_CHECK_NAME,
						 [ROUTING_GATEWAY_TLS_VERIFY_PIN] = TLS_CHECK_PIN,
						 [ROUTING_GATEWAY_TLS_VERIFY_OFF] =
							 TLS_CHECK_NONE };
	const struct routing_gateway_row *row = v->row;
	int r = compile_pins(row->tls_pin, &v->tls_pins, err);

	if (r < 0)
		return r;
	v->tls = (struct tls_policy){ .check = checks[row->tls_verify],
				      .name = str_of(row->tls_name),
				      .pins = buf_str(&v->tls_pins) };
	if (v->tls.check == TLS_CHECK_PIN && v->tls.pins.n == 0)
		return err_set(err, ERR_MISSING_FIELD, "tls_pin", STR(""),
			       "SHA-256 of its public key, or tls_verify=name or off",
			       "tls_verify=pin needs a pin");
	return 0;
}

static int check_name_server(const struct routing_gateway_row *row, struct err *err)
{
	struct naptr_question unused;

	if (!vendor_is_name_server(row))
		return 0;
	if (naptr_ask(&unused, STR("1"), str_of(row->portability_zone), 0) < 0)
		return err_set(err, ERR_BAD_VALUE, "portability_zone",
			       str_of(row->portability_zone),
			       "a domain of letters, digits and hyphens, such as e164.arpa",
			       "not a domain");
	if (row->registration)
		return err_set(err, ERR_BAD_VALUE, "registration", STR("true"), "false",
			       "nobody registers at a name server");
	return 0;
}

static enum proto proto_of(int64_t transport)
{
	if (transport == ROUTING_GATEWAY_TRANSPORT_TLS)
		return PROTO_TLS;
	return transport == ROUTING_GATEWAY_TRANSPORT_TCP ? PROTO_TCP : PROTO_UDP;
}

int vendor_compile(struct vendor *v, struct err *err)
{
	v->proto = proto_of(v->row->transport);

	int r = compile_addresses(v, err);

	if (r == 0)
		r = compile_tls(v, err);
	if (r == 0)
		r = check_name_server(v->row, err);
	if (r == 0)
		r = vendor_check_registration(v->row, err);
	if (r == 0)
		r = retry_check_codes(str_of(v->row->stop_codes), "stop_codes", err);
	if (r == 0)
		r = retry_check_codes(str_of(v->row->continue_codes), "continue_codes", err);
	if (r == 0)
		r = codes_parse(str_of(v->row->failure_codes), CODES_SIP, "failure_codes",
				&v->codes, err);
	if (r == 0)
		r = codes_parse(str_of(v->row->failure_causes), CODES_CAUSE_TO_SIP,
				"failure_causes", &v->causes, err);
	if (r == 0)
		r = rules_compile(&v->callee_rules, v->row->callee_rules, "callee_rules", err);
	if (r == 0)
		r = rules_compile(&v->caller_rules, v->row->caller_rules, "caller_rules", err);
	if (r == 0)
		r = compile_nets(str_of(v->row->media_nets), "media_nets", false, &v->media_net,
				 &v->media_net_count, err);
	if (r == 0)
		r = identity_compile(str_of(v->row->pass_headers), &v->passes, err);
	if (r == 0)
		r = screen_compile(&v->screen, &entities[ENTITY_ROUTING_GATEWAY], v->row, err);
	if (r == 0 && v->row->day_zone && strcmp(v->row->day_zone, "UTC") != 0)
		r = timeplan_zone(&v->day_zone, v->row->day_zone, "day_zone", err);
	return r;
}

void vendor_done(struct vendor *v)
{
	screen_done(&v->screen);
	transform_free(v->callee_rules);
	transform_free(v->caller_rules);
	buf_done(&v->tls_pins);
	free(v->address);
	free(v->spot);
	free(v->reach);
	free(v->media_net);
	zone_free(v->day_zone);
	row_free(&entities[ENTITY_ROUTING_GATEWAY], v->row);
}

static bool same_text(const char *a, const char *b)
{
	return str_eq(str_of(a), str_of(b));
}

static bool nets_equal(const struct source *a, const struct source *b)
{
	for (int i = 0; i < a->net_count; i++) {
		for (int j = 0; j < b->net_count; j++) {
			if (a->net[i].bits == b->net[j].bits &&
			    addr_eq(&a->net[i].net, &b->net[j].net))
				return true;
		}
	}
	return false;
}

static bool tech_equal(const struct source *a, const struct source *b)
{
	if (a->tech_count == 0 || b->tech_count == 0)
		return a->tech_count == b->tech_count;
	for (int i = 0; i < a->tech_count; i++) {
		for (int j = 0; j < b->tech_count; j++) {
			if (str_eq(a->tech[i], b->tech[j]))
				return true;
		}
	}
	return false;
}

static bool is_ambiguous(const struct source *a, const struct source *b)
{
	if (a->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD ||
	    b->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD)
		return a->row->auth == b->row->auth &&
		       same_text(a->row->user ? a->row->user : a->row->name,
				 b->row->user ? b->row->user : b->row->name);
	return a->row->auth == b->row->auth && a->row->transport == b->row->transport &&
	       same_text(a->row->local_address, b->row->local_address) &&
	       same_text(a->row->tls_pin, b->row->tls_pin) && tech_equal(a, b) && nets_equal(a, b);
}

/* Only neighbours in this order can clash: by kind of authentication, then by what they are known by. */
struct claim {
	uint64_t hash;
	const struct source *source;
};

static int by_hash(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static size_t put_claims(const struct source *s, struct claim *out)
{
	if (s->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD) {
		*out = (struct claim){ 1, s };
		return 1;
	}
	for (int i = 0; i < s->net_count; i++)
		out[i] = (struct claim){ addr_hash(&s->net[i].net) | 2, s };
	return (size_t)s->net_count;
}

static int check_claims(const struct claim *c, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n && c[j].hash == c[i].hash; j++) {
			if (c[i].source == c[j].source || !is_ambiguous(c[i].source, c[j].source))
				continue;
			return err_set(
				err, ERR_CONFLICT, "address", str_of(c[j].source->row->address),
				"another address, port, local_address, transport or tech_prefix",
				"a call could be from %s or from %s", c[i].source->row->name,
				c[j].source->row->name);
		}
	}
	return 0;
}

int sources_check_ambiguous(const struct source *s, size_t n, struct err *err)
{
	size_t total = 0, filled = 0;

	for (size_t i = 0; i < n; i++)
		total += (size_t)s[i].net_count + 1;
	CLEANUP(free) struct claim *claims = calloc(total + 1, sizeof(*claims));
	if (!claims)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		filled += put_claims(&s[i], claims + filled);
	qsort(claims, filled, sizeof(*claims), by_hash);
	return check_claims(claims, filled, err);
}

/* At entry a row is compiled alone and thrown away again: what is refused is refused before it is stored. */
int world_check_mapping(const struct mapping_gateway_row *row, struct err *err)
{
	struct source s = { .row = row_copy(&entities[ENTITY_MAPPING_GATEWAY], row) };
	int r = s.row ? source_compile(&s, err) : -ENOMEM;

	source_done(&s);
	return r;
}

int world_check_routing(const struct routing_gateway_row *row, struct err *err)
{
	struct vendor v = { .row = row_copy(&entities[ENTITY_ROUTING_GATEWAY], row) };
	int r = v.row ? vendor_compile(&v, err) : -ENOMEM;

	vendor_done(&v);
	return r;
}
