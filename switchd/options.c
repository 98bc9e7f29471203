#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/hub.h"

static const char usage[] =
	"switchd: the Tandem softswitch\n"
	"  --data DIR              state directory (default /var/lib/tandem)\n"
	"  --control PATH          control socket (default /run/tandem/control.sock)\n"
	"  --security PATH         where switch-lockoutd hears of attacks\n"
	"                          (default /run/tandem/security.sock)\n"
	"  --listen PROTO:ADDR     udp:192.0.2.1:5060, tcp:[2001:db8::1]:5060, "
	"tls:192.0.2.1:5061;\n"
	"                          may be repeated; without a port: those of SS_SIP_PORT\n"
	"  --tls DIR               certificates for TLS (default /etc/tandem/tls)\n"
	"  --dns ADDR[:PORT]       the name server to ask (default: those of /etc/resolv.conf)\n"
	"  --media ADDR            address of the media relay; may be repeated\n"
	"  --media-ports LOW-HIGH  its ports\n"
	"  --public ADDR           the address that peers reach us at, behind a 1:1 NAT;\n"
	"                          one of each family\n"
	"  --set PARAMETER=VALUE   a parameter for this run, not stored; may be repeated\n"
	"  --workers N             signalling threads (default: cores - 1, at least 1)\n"
	"  --media-threads N       media threads (default 1)\n"
	"  --machine FILE          what a licence may be bound to (default "
	"/run/tandem/machine-id)\n"
	"  --time-servers FILE     where SERVER_NTP_SERVER is written for chronyd (default: "
	"nowhere)\n"
	"  --restore FILE          puts a backup in place, after proving it, and ends\n"
	"  --drain SECONDS         how long SIGTERM lets calls go on (default 5)\n"
	"  --help, --version\n";

enum {
	OPT_DATA = 256,
	OPT_CONTROL,
	OPT_SECURITY,
	OPT_LISTEN,
	OPT_MEDIA,
	OPT_PORTS,
	OPT_PUBLIC,
	OPT_SET,
	OPT_WORKERS,
	OPT_THREADS,
	OPT_DRAIN,
	OPT_MACHINE,
	OPT_RESTORE,
	OPT_TIME,
	OPT_TLS,
	OPT_DNS
};

static const struct option longs[] = {
	{ "data", required_argument, NULL, OPT_DATA },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "security", required_argument, NULL, OPT_SECURITY },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "media", required_argument, NULL, OPT_MEDIA },
	{ "media-ports", required_argument, NULL, OPT_PORTS },
	{ "public", required_argument, NULL, OPT_PUBLIC },
	{ "set", required_argument, NULL, OPT_SET },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "media-threads", required_argument, NULL, OPT_THREADS },
	{ "drain", required_argument, NULL, OPT_DRAIN },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "time-servers", required_argument, NULL, OPT_TIME },
	{ "restore", required_argument, NULL, OPT_RESTORE },
	{ "tls", required_argument, NULL, OPT_TLS },
	{ "dns", required_argument, NULL, OPT_DNS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int set_param(struct options *o, enum param id, struct str value, struct err *err)
{
	int r = params_set(o->params, id, value, err);

	if (r == 0)
		o->is_set[id] = true;
	return r;
}

static int take_set(struct options *o, struct str text, struct err *err)
{
	ptrdiff_t eq = str_chr(text, '=');

	if (eq <= 0)
		return err_set(err, ERR_USAGE, "--set", text, "PARAMETER=VALUE",
			       "not a parameter and its value");

	struct str name = str_head(text, (size_t)eq);
	enum param id = param_find(name);

	if (id == PARAM_COUNT)
		return param_unknown(name, ERR_USAGE, "--set", "PARAMETER=VALUE", err);
	return set_param(o, id, str_skip(text, (size_t)eq + 1), err);
}

static int take_ports(struct options *o, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf range = BUF_INIT;
	ptrdiff_t dash = str_chr(text, '-');

	if (dash < 0)
		return err_set(err, ERR_USAGE, "--media-ports", text, "LOW-HIGH",
			       "not a range of ports");
	buf_put(&range, str_head(text, (size_t)dash));
	buf_putc(&range, ',');
	buf_put(&range, str_skip(text, (size_t)dash + 1));
	return set_param(o, PARAM_SS_MEDIA_PORT_RANGE, buf_str(&range), err);
}

static int take_number(struct str text, const char *name, uint32_t max, int *ret, struct err *err)
{
	uint32_t n;

	if (str_to_u32(text, max, &n) < 0)
		return err_set(err, ERR_USAGE, name, text, "a number", "not a number up to %u",
			       max);
	*ret = (int)n;
	return 0;
}

static int take_listen(struct options *o, struct str text, struct err *err)
{
	if (o->listen_count == OPTIONS_MAX)
		return err_set(err, ERR_USAGE, "--listen", text, "", "too many addresses");
	return listen_spec_parse(text, &o->listen[o->listen_count++], err);
}

static int take_media(struct options *o, struct str text, struct err *err)
{
	if (o->media_count == OPTIONS_MAX || addr_parse(text, 0, &o->media[o->media_count]) < 0)
		return err_set(err, ERR_USAGE, "--media", text, "an IP address",
			       "not a media address");
	o->media_count++;
	return 0;
}

static int take_public(struct options *o, struct str text, struct err *err)
{
	struct addr a;
	int r = addr_parse(text, 0, &a);

	if (r == 0 && addr_port(&a) == 0)
		r = outside_add(&o->outside, &a);
	else
		r = -EINVAL;
	if (r == -EEXIST)
		return err_set(err, ERR_USAGE, "--public", text, "one address of each family",
			       "there is another one of this family");
	if (r < 0)
		return err_set(err, ERR_USAGE, "--public", text,
			       "a public IP address without a port",
			       "not an address that peers could reach us at");
	return 0;
}

static int take(struct options *o, int opt, const char *arg, struct err *err)
{
	struct str text = str_of(arg);

	switch (opt) {
	case OPT_DATA:
		o->data_dir = arg;
		return 0;
	case OPT_CONTROL:
		o->control = arg;
		return 0;
	case OPT_MACHINE:
		o->machine_file = arg;
		return 0;
	case OPT_RESTORE:
		o->restore = arg;
		return 0;
	case OPT_TIME:
		o->time_servers = arg;
		return 0;
	case OPT_SECURITY:
		o->security = arg;
		return 0;
	case OPT_TLS:
		o->tls_dir = arg;
		return 0;
	case OPT_DNS:
		if (addr_parse(text, 53, &o->dns) == 0 && !addr_is_v6(&o->dns))
			return 0;
		return err_set(err, ERR_USAGE, "--dns", text, "an IPv4 address",
			       "not a name server");
	case OPT_LISTEN:
		return take_listen(o, text, err);
	case OPT_MEDIA:
		return take_media(o, text, err);
	case OPT_PUBLIC:
		return take_public(o, text, err);
	case OPT_PORTS:
		return take_ports(o, text, err);
	case OPT_SET:
		return take_set(o, text, err);
	case OPT_WORKERS:
		return take_number(text, "--workers", HUB_WORKERS_MAX, &o->workers, err);
	case OPT_THREADS:
		return take_number(text, "--media-threads", 64, &o->media_threads, err);
	case OPT_DRAIN:
		return take_number(text, "--drain", 86400, &o->drain_s, err);
	default:
		return err_set(err, ERR_USAGE, "", STR(""), "switchd --help", "unknown option");
	}
}

static int default_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 1 ? (int)(cores - 1 < HUB_WORKERS_MAX ? cores - 1 : HUB_WORKERS_MAX) : 1;
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*o = (struct options){ .data_dir = "/var/lib/tandem",
			       .control = "/run/tandem/control.sock",
			       .security = "/run/tandem/security.sock",
			       .tls_dir = "/etc/tandem/tls",
			       .machine_file = "/run/tandem/machine-id",
			       .media_threads = 1,
			       .drain_s = 5 };
	o->params = params_create();
	if (!o->params)
		return -ENOMEM;
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switchd " TANDEM_VERSION "\n", stdout);
			return 1;
		}
		r = take(o, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switchd --help",
			    "unexpected argument");
	if (r == 0 && !o->restore && (o->listen_count == 0 || o->media_count == 0))
		r = err_set(err, ERR_USAGE, o->listen_count ? "--media" : "--listen", STR(""),
			    "switchd --help", "an address is missing");
	if (o->workers == 0)
		o->workers = default_workers();
	if (o->media_threads == 0)
		o->media_threads = 1;
	return r;
}

void options_done(struct options *o)
{
	o->params = params_free(o->params);
}

/* ---- where to listen ---- */

enum { LISTEN_MAX = 256 };

struct expansion {
	struct listen_spec *spec;
	int count;
};

static int add_spec(struct expansion *e, const struct listen_spec *s, struct err *err)
{
	for (int i = 0; i < e->count; i++) {
		if (e->spec[i].proto == s->proto && addr_eq(&e->spec[i].addr, &s->addr))
			return 0;
	}
	if (e->count == LISTEN_MAX)
		return err_set(err, ERR_USAGE, "--listen", STR(""), "fewer addresses or ports",
			       "more than %d addresses to listen on", LISTEN_MAX);
	e->spec[e->count++] = *s;
	return 0;
}

static int add_ports(struct expansion *e, struct listen_spec s, struct str ports, struct err *err)
{
	struct str text;
	int r = 0;

	while (r == 0 && str_split(&ports, ',', &text)) {
		uint32_t port;

		r = str_to_u32(text, UINT16_MAX, &port);
		addr_set_port(&s.addr, (uint16_t)port);
		if (r == 0)
			r = add_spec(e, &s, err);
	}
	return r;
}

int options_listen(const struct options *o, const struct params *p, struct listen_spec **ret,
		   int *ret_n, struct err *err)
{
	CLEANUP(free) struct listen_spec *spec = calloc(LISTEN_MAX, sizeof(*spec));
	struct expansion e = { .spec = spec };
	struct str ports = param_str(p, PARAM_SS_SIP_PORT);
	int r = spec ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < o->listen_count; i++) {
		const struct listen_spec *s = &o->listen[i];

		if (s->is_bare && s->proto != PROTO_TLS && !str_is_empty(ports))
			r = add_ports(&e, *s, ports, err);
		else
			r = add_spec(&e, s, err);
	}
	if (r < 0)
		return r;
	*ret_n = e.count;
	*ret = TAKE(spec);
	return 0;
}
