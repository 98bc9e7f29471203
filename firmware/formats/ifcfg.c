#include "formats/ifcfg.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "base/addr.h"

enum { MAC_SIZE = 17, NAME_MAX_SIZE = 15, MTU_MAX = 65535 };

/* --- one value --- */

static int bad(struct err *err, struct str key, struct str value, const char *accepted)
{
	char field[sizeof(err->field)];

	if (str_copy(field, sizeof(field), key) < 0)
		return err_set(err, ERR_BAD_VALUE, "", value, accepted, "a value is malformed");
	return err_set(err, ERR_BAD_VALUE, field, value, accepted, "%s is malformed", field);
}

static bool is_host(struct str s, bool is_v6)
{
	struct addr a;

	/* A port or a bracket is not part of an address here. */
	return addr_parse(s, 0, &a) == 0 && addr_port(&a) == 0 && addr_is_v6(&a) == is_v6 &&
	       str_chr(s, '[') < 0 && (is_v6 || str_chr(s, ':') < 0);
}

static bool is_name(struct str s)
{
	if (s.n == 0 || s.n > NAME_MAX_SIZE)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr("._-", s.p[i]))
			return false;
	return true;
}

static bool is_mac(struct str s)
{
	if (s.n != MAC_SIZE)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i % 3 == 2 ? s.p[i] != ':' : !isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

static bool is_domains(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr(".- ", s.p[i]))
			return false;
	return true;
}

/* 255.255.255.0 is 24; the ones must be in front. */
static int mask_bits(struct str s, uint32_t *bits)
{
	struct in_addr mask;
	char text[INET_ADDRSTRLEN];

	if (str_copy(text, sizeof(text), s) < 0 || inet_pton(AF_INET, text, &mask) != 1)
		return -EINVAL;
	uint32_t zeros = ~ntohl(mask.s_addr);
	if ((zeros & (zeros + 1)) != 0)
		return -EINVAL;
	*bits = 32 - (uint32_t)__builtin_popcount(zeros);
	return 0;
}

static bool is_yes(struct str s)
{
	return str_ieq(s, STR("yes")) || str_ieq(s, STR("true")) || str_eq(s, STR("1"));
}

static bool is_no(struct str s)
{
	return str_ieq(s, STR("no")) || str_ieq(s, STR("false")) || str_eq(s, STR("0"));
}

/* --- one key --- */

typedef int (*set_fn)(struct ifcfg *c, uint32_t n, struct str value);

static int set_flag(bool *flag, struct str value)
{
	if (!is_yes(value) && !is_no(value))
		return -EINVAL;
	*flag = is_yes(value);
	return 0;
}

static int set_host(struct str *to, struct str value, bool is_v6)
{
	if (!is_host(value, is_v6))
		return -EINVAL;
	*to = value;
	return 0;
}

static int set_device(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	c->device = value;
	return is_name(value) ? 0 : -EINVAL;
}

static int set_mac(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	c->mac = value;
	return is_mac(value) ? 0 : -EINVAL;
}

static int set_on(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return set_flag(&c->is_on, value);
}

static int set_proto(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	c->is_dhcp = str_ieq(value, STR("dhcp"));
	return c->is_dhcp || str_ieq(value, STR("none")) || str_ieq(value, STR("static")) ? 0
											  : -EINVAL;
}

static int set_mtu(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return str_to_u32(value, MTU_MAX, &c->mtu);
}

static int set_address(struct ifcfg *c, uint32_t n, struct str value)
{
	return set_host(&c->address[n].address, value, false);
}

static int set_prefix(struct ifcfg *c, uint32_t n, struct str value)
{
	return str_to_u32(value, 32, &c->address[n].prefix);
}

static int set_mask(struct ifcfg *c, uint32_t n, struct str value)
{
	return mask_bits(value, &c->address[n].prefix);
}

static int set_gateway(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return set_host(&c->gateway, value, false);
}

static int set_dns(struct ifcfg *c, uint32_t n, struct str value)
{
	if (n == 0 || n > IFCFG_DNS || (!is_host(value, false) && !is_host(value, true)))
		return -EINVAL;
	c->dns[n - 1] = value;
	return 0;
}

static int set_domain(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	c->domain = value;
	return is_domains(value) ? 0 : -EINVAL;
}

static int set_has6(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return set_flag(&c->has_ipv6, value);
}

static int set_auto6(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return set_flag(&c->is_auto6, value);
}

static int put_address6(struct ifcfg *c, size_t place, struct str value)
{
	ptrdiff_t slash = str_chr(value, '/');
	uint32_t bits;

	if (place >= IFCFG_ADDRESSES6 || slash < 0 ||
	    !is_host(str_head(value, (size_t)slash), true) ||
	    str_to_u32(str_skip(value, (size_t)slash + 1), 128, &bits) < 0)
		return -EINVAL;
	c->address6[place] = value;
	return 0;
}

static int set_address6(struct ifcfg *c, uint32_t n, struct str value)
{
	(void)n;
	return put_address6(c, 0, value);
}

static int set_secondaries6(struct ifcfg *c, uint32_t n, struct str value)
{
	struct str each;
	int r = 0;

	(void)n;
	for (size_t place = 1; r == 0 && str_split(&value, ' ', &each); place++)
		r = put_address6(c, place, each);
	return r;
}

/* A zone ("fe80::1%ens3") is the interface's own, so it says nothing new. */
static int set_gateway6(struct ifcfg *c, uint32_t n, struct str value)
{
	ptrdiff_t zone = str_chr(value, '%');

	(void)n;
	return set_host(&c->gateway6, zone < 0 ? value : str_head(value, (size_t)zone), true);
}

static const struct {
	struct str name;
	bool is_numbered; /* IPADDR, IPADDR0 ... */
	set_fn set;
	const char *accepted;
} KEYS[] = {
	{ STR_INIT("DEVICE"), false, set_device, "an interface's name" },
	{ STR_INIT("HWADDR"), false, set_mac, "52:54:00:12:34:56" },
	{ STR_INIT("ONBOOT"), false, set_on, "yes or no" },
	{ STR_INIT("BOOTPROTO"), false, set_proto, "none, static or dhcp" },
	{ STR_INIT("MTU"), false, set_mtu, "a number up to 65535" },
	{ STR_INIT("IPADDR"), true, set_address, "an IPv4 address" },
	{ STR_INIT("PREFIX"), true, set_prefix, "a number up to 32" },
	{ STR_INIT("NETMASK"), true, set_mask, "255.255.255.0, say" },
	{ STR_INIT("GATEWAY"), true, set_gateway, "an IPv4 address" },
	{ STR_INIT("DNS"), true, set_dns, "DNS1 to DNS3, each an address" },
	{ STR_INIT("DOMAIN"), false, set_domain, "domains with blanks between" },
	{ STR_INIT("IPV6INIT"), false, set_has6, "yes or no" },
	{ STR_INIT("IPV6_AUTOCONF"), false, set_auto6, "yes or no" },
	{ STR_INIT("IPV6ADDR"), false, set_address6, "an IPv6 address with its /prefix" },
	{ STR_INIT("IPV6ADDR_SECONDARIES"), false, set_secondaries6,
	  "up to seven IPv6 addresses, each with its /prefix" },
	{ STR_INIT("IPV6_DEFAULTGW"), false, set_gateway6, "an IPv6 address" },
};

/* Place of the key in the table, its number in *n (0 without one); -1 for a key that is not ours. */
static int find_key(struct str key, uint32_t *n)
{
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
		*n = 0;
		if (str_eq(key, KEYS[i].name))
			return (int)i;
		if (KEYS[i].is_numbered && str_has_prefix(key, KEYS[i].name) &&
		    str_to_u32(str_skip(key, KEYS[i].name.n), IFCFG_ADDRESSES - 1, n) == 0)
			return (int)i;
	}
	return -1;
}

/* --- a file --- */

static struct str unquote(struct str s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return str_n(s.p + 1, s.n - 2);
	return s;
}

static int parse_line(struct ifcfg *c, struct str line, struct err *err)
{
	ptrdiff_t equals = str_chr(line, '=');
	uint32_t n;

	if (equals < 0)
		return err_set(err, ERR_SYNTAX, "", line, "KEY=value", "a line has no =");
	struct str key = str_trim(str_head(line, (size_t)equals));
	struct str value = unquote(str_trim(str_skip(line, (size_t)equals + 1)));
	int i = find_key(key, &n);
	if (i < 0 || str_is_empty(value))
		return 0;
	return KEYS[i].set(c, n, value) < 0 ? bad(err, key, value, KEYS[i].accepted) : 0;
}

static int check(const struct ifcfg *c, struct err *err)
{
	if (str_is_empty(c->device) && str_is_empty(c->mac))
		return err_set(err, ERR_MISSING_FIELD, "DEVICE", STR(""), "an interface's name",
			       "neither DEVICE nor HWADDR is given");
	for (size_t i = 0; i < IFCFG_ADDRESSES; i++)
		if (!str_is_empty(c->address[i].address) && c->address[i].prefix == 0)
			return err_set(err, ERR_MISSING_FIELD, "PREFIX", c->address[i].address,
				       "PREFIX or NETMASK", "an address has no prefix");
	return 0;
}

bool ifcfg_is_name(struct str name)
{
	static const struct str LEFT[] = { STR_INIT("~"), STR_INIT(".bak"), STR_INIT(".orig"),
					   STR_INIT(".rpmnew"), STR_INIT(".rpmsave") };

	for (size_t i = 0; i < sizeof(LEFT) / sizeof(LEFT[0]); i++)
		if (str_has_suffix(name, LEFT[i]))
			return false;
	return str_has_prefix(name, IFCFG_PREFIX) && name.n > IFCFG_PREFIX.n &&
	       !str_eq(name, STR("ifcfg-lo"));
}

int ifcfg_parse(struct ifcfg *ret, struct str text, struct err *err)
{
	struct ifcfg c = { .is_on = true };
	struct str line;

	while (str_line(&text, &line)) {
		line = str_trim(line);
		if (str_is_empty(line) || line.p[0] == '#')
			continue;
		int r = parse_line(&c, line, err);
		if (r < 0)
			return r;
	}
	int r = check(&c, err);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

static void put(struct buf *to, const char *name, struct str value)
{
	if (!str_is_empty(value))
		buf_printf(to, "%s=%.*s\n", name, STR_ARG(value));
}

static void put_addresses(const struct ifcfg *c, struct buf *to)
{
	for (size_t i = 0; i < IFCFG_ADDRESSES; i++)
		if (!str_is_empty(c->address[i].address))
			buf_printf(to, "Address=%.*s/%u\n", STR_ARG(c->address[i].address),
				   c->address[i].prefix);
	for (size_t i = 0; c->has_ipv6 && i < IFCFG_ADDRESSES6; i++)
		put(to, "Address", c->address6[i]);
}

void ifcfg_print(const struct ifcfg *c, struct buf *to)
{
	buf_putz(to, "[Match]\n");
	put(to, "Name", c->device);
	put(to, "MACAddress", c->mac);
	if (c->mtu > 0)
		buf_printf(to, "\n[Link]\nMTUBytes=%u\n", c->mtu);
	buf_putz(to, "\n[Network]\n");
	put_addresses(c, to);
	put(to, "Gateway", c->gateway);
	if (c->has_ipv6)
		put(to, "Gateway", c->gateway6);
	for (size_t i = 0; i < IFCFG_DNS; i++)
		put(to, "DNS", c->dns[i]);
	put(to, "Domains", c->domain);
	buf_printf(to, "DHCP=%s\n", c->is_dhcp ? "ipv4" : "no");
	buf_printf(to, "LinkLocalAddressing=%s\n", c->has_ipv6 ? "ipv6" : "no");
	buf_printf(to, "IPv6AcceptRA=%s\n", c->has_ipv6 && c->is_auto6 ? "yes" : "no");
	/* Traffic of others is not ours to carry. */
	buf_putz(to, "IPForward=no\nLLMNR=no\nMulticastDNS=no\n");
}
