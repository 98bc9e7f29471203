#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "formats/slots_file.h"
#include "model/answers_file.h"

enum { PATIENCE_S = 90, PATIENCE_MAX = 3600 };

static const char usage[] =
	"switch-hostd: what only root may do on a Tandem machine\n"
	"  --control PATH   its control socket (default /run/tandem/host.sock)\n"
	"  --state DIR      what it keeps (default /var/lib/tandem-host)\n"
	"  --keys DIR       public keys that may sign updates (default "
	"/usr/share/tandem/update-keys)\n"
	"  --image FILE     what the running image says of itself (default " SLOT_IMAGE ")\n"
	"  --slots DIR      files in place of the disk's partitions: boot-a, root-a, boot-b, "
	"root-b, grubenv\n"
	"  --running a|b    the slot that runs, with --slots\n"
	"  --conf FILE      the machine's configuration (default " ANSWERS_PATH ")\n"
	"  --apply PROGRAM  what brings a changed configuration into force, run with --change FILE "
	"(default:\n                   tandem-change.service)\n"
	"  --patience S     seconds within which a change has to be confirmed (default 90)\n"
	"  --help, --version\n";

enum {
	OPT_CONTROL = 256,
	OPT_STATE,
	OPT_KEYS,
	OPT_IMAGE,
	OPT_SLOTS,
	OPT_CONF,
	OPT_APPLY,
	OPT_RUNNING,
	OPT_PATIENCE
};

static const struct option longs[] = {
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "keys", required_argument, NULL, OPT_KEYS },
	{ "image", required_argument, NULL, OPT_IMAGE },
	{ "slots", required_argument, NULL, OPT_SLOTS },
	{ "conf", required_argument, NULL, OPT_CONF },
	{ "apply", required_argument, NULL, OPT_APPLY },
	{ "running", required_argument, NULL, OPT_RUNNING },
	{ "patience", required_argument, NULL, OPT_PATIENCE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take(struct options *o, int opt, const char *arg, struct err *err)
{
	const char **places[] = { &o->control, &o->state, &o->keys, &o->image,
				  &o->slots,   &o->conf,  &o->apply };

	if (opt == OPT_RUNNING) {
		if (slots_index(arg[0]) < 0 || arg[1] != '\0')
			return err_set(err, ERR_USAGE, "--running", str_of(arg), "a or b",
				       "there is no such slot");
		o->running = arg[0];
		return 0;
	}
	if (opt == OPT_PATIENCE && str_to_u32(str_of(arg), PATIENCE_MAX, &o->patience_s) == 0 &&
	    o->patience_s > 0)
		return 0;
	if (opt == OPT_PATIENCE)
		return err_set(err, ERR_USAGE, "--patience", str_of(arg), "1 to 3600",
			       "no such number of seconds");
	if (opt < OPT_CONTROL || opt > OPT_APPLY)
		return err_set(err, ERR_USAGE, "", STR(""), "switch-hostd --help",
			       "unknown option");
	*places[opt - OPT_CONTROL] = arg;
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*o = (struct options){ .control = "/run/tandem/host.sock",
			       .state = "/var/lib/tandem-host",
			       .keys = "/usr/share/tandem/update-keys",
			       .image = SLOT_IMAGE,
			       .conf = ANSWERS_PATH,
			       .patience_s = PATIENCE_S };
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switch-hostd " TANDEM_VERSION "\n",
				    stdout);
			return 1;
		}
		r = take(o, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switch-hostd --help",
			    "unexpected argument");
	if (r == 0 && !o->slots != !o->running)
		r = err_set(err, ERR_USAGE, "", STR(""), NULL, "--slots and --running go together");
	return r;
}
