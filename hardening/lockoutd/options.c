#include "options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"switch-lockoutd: firewall and bans of a Tandem switch\n"
	"  --control PATH   its control socket (default /run/tandem/lockout.sock)\n"
	"  --state DIR      where bans are kept (default /var/lib/tandem-lockout)\n"
	"  --security PATH  socket for security events (default /run/tandem/security.sock)\n"
	"  --switch PATH    control socket of switchd (default /run/tandem/control.sock)\n"
	"  --conf FILE      ports of the machine (default /etc/tandem/tandem.conf)\n"
	"  --guest          the machine has programs of others, which may go out\n"
	"  --help, --version\n";

enum { OPT_CONTROL = 256, OPT_STATE, OPT_SECURITY, OPT_SWITCH, OPT_CONF, OPT_GUEST };

static const struct option longs[] = {
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "security", required_argument, NULL, OPT_SECURITY },
	{ "switch", required_argument, NULL, OPT_SWITCH },
	{ "conf", required_argument, NULL, OPT_CONF },
	{ "guest", no_argument, NULL, OPT_GUEST },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take(struct options *o, int opt, const char *arg, struct err *err)
{
	const char **places[] = { &o->control, &o->state, &o->security, &o->switchd, &o->conf };

	if (opt == OPT_GUEST) {
		o->is_guest = true;
		return 0;
	}
	if (opt < OPT_CONTROL || opt > OPT_CONF)
		return err_set(err, ERR_USAGE, "", STR(""), "switch-lockoutd --help",
			       "unknown option");
	*places[opt - OPT_CONTROL] = arg;
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*o = (struct options){ .control = "/run/tandem/lockout.sock",
			       .state = "/var/lib/tandem-lockout",
			       .security = "/run/tandem/security.sock",
			       .switchd = "/run/tandem/control.sock",
			       .conf = "/etc/tandem/tandem.conf" };
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switch-lockoutd " TANDEM_VERSION "\n",
				    stdout);
			return 1;
		}
		r = take(o, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switch-lockoutd --help",
			    "unexpected argument");
	return r;
}
