#include "settings.h"

#include "base/log.h"

static void take_media(struct settings *s, struct exempt *e, struct str value)
{
	struct str first;
	uint32_t a, b;

	(void)e;
	if (str_split(&value, ',', &first) && str_to_u32(first, UINT16_MAX, &a) == 0 &&
	    str_to_u32(str_trim(value), UINT16_MAX, &b) == 0 && a > 0 && a <= b) {
		s->media_first = (uint16_t)a;
		s->media_last = (uint16_t)b;
	}
}

static void take_honeypots(struct honeypots *h, struct str value)
{
	struct str one;
	uint32_t port;

	h->n = 0;
	while (h->n < HONEYPOTS_MAX && str_split(&value, ',', &one)) {
		if (str_to_u32(str_trim(one), UINT16_MAX, &port) == 0 && port > 0)
			h->port[h->n++] = (uint16_t)port;
	}
}

static void take_tcp_traps(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_honeypots(&s->tcp_traps, value);
}

static void take_udp_traps(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_honeypots(&s->udp_traps, value);
}

/* The networks that exempt_add does not take would switch everything off. */
static void take_ignored(struct settings *s, struct exempt *e, struct str value)
{
	struct str one;
	struct cidr net;

	(void)s;
	while (str_split(&value, ',', &one)) {
		if (cidr_parse(str_trim(one), &net) < 0 ||
		    exempt_add(e, &net, STR("SS_LOCKOUT_IGNORE_IP")) < 0)
			log_at(LOG_WARNING, NULL,
			       "SS_LOCKOUT_IGNORE_IP: %.*s is not exempt: it is "
			       "no network, or a wider one than /8 (IPv6: /16)",
			       STR_ARG(one));
	}
}

/* Those that are addresses; a time server may be a name. */
static void take_time_servers(struct settings *s, struct exempt *e, struct str value)
{
	struct str one;
	struct addr a;

	(void)s;
	while (str_split(&value, ',', &one)) {
		if (addr_parse(one, 0, &a) < 0)
			continue;

		struct cidr c = { .net = a, .bits = addr_is_v6(&a) ? 128 : 32 };
		(void)exempt_add(e, &c, STR("time server"));
	}
}

static void take_number(struct str value, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint32_t n;

	if (str_to_u32(str_trim(value), max, &n) == 0 && n >= min)
		*ret = n;
}

static void take_retries(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_number(value, 1, FAILURES_MAX, &s->limits.max_retry);
}

static void take_window(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_number(value, 1, BAN_SECONDS_MAX, &s->limits.find_s);
}

static void take_ban(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_number(value, 1, BAN_SECONDS_MAX, &s->limits.ban_s);
}

static void take_ban_max(struct settings *s, struct exempt *e, struct str value)
{
	(void)e;
	take_number(value, 1, BAN_SECONDS_MAX, &s->limits.ban_max_s);
}

#define SETTINGS(X)                                        \
	X("SS_MEDIA_PORT_RANGE", take_media)               \
	X("SS_LOCKOUT_HONEYPOT_PORTS", take_tcp_traps)     \
	X("SS_LOCKOUT_HONEYPOT_UDP_PORTS", take_udp_traps) \
	X("SS_LOCKOUT_IGNORE_IP", take_ignored)            \
	X("SERVER_NTP_SERVER", take_time_servers)          \
	X("SS_LOCKOUT_MAX_RETRY", take_retries)            \
	X("SS_LOCKOUT_FIND_TIME", take_window)             \
	X("SS_LOCKOUT_BAN_TIME", take_ban)                 \
	X("SS_LOCKOUT_BAN_TIME_MAX", take_ban_max)

typedef void take_fn(struct settings *s, struct exempt *e, struct str value);

#define SETTINGS_NAME(name, take) (name),
#define SETTINGS_TAKE(name, take) (take),
const char *const settings_names[] = { SETTINGS(SETTINGS_NAME) NULL };
static take_fn *const takers[] = { SETTINGS(SETTINGS_TAKE) };
#undef SETTINGS_NAME
#undef SETTINGS_TAKE

bool settings_take(struct settings *s, struct exempt *e, const json_t *values)
{
	exempt_begin(e, ORIGIN_IGNORED);
	for (size_t i = 0; settings_names[i]; i++) {
		const json_t *v = json_object_get(values, settings_names[i]);

		if (json_is_string(v))
			takers[i](s, e, str_n(json_string_value(v), json_string_length(v)));
	}
	return exempt_end(e);
}
