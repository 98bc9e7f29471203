#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"switch-setup: sets a Tandem machine up, at a text console or from tandem.conf\n"
	"  --unattended       without screens: from a volume labelled TANDEM, tandem.answers= on\n"
	"                     the kernel command line, or --answers\n"
	"  --answers FILE     the answers to use, a file or http://...; the screens begin with "
	"them\n"
	"  --check FILE       say what is wrong with a file of answers, change nothing\n"
	"  --hash-password    read a password from stdin and print its admin_password_hash\n"
	"  --refresh          write switchd's arguments anew for the address of this boot\n"
	"  --change FILE      bring other answers into force on a machine that is set up\n"
	"  --root DIR         write below DIR and restart nothing (default: this machine)\n"
	"  --control PATH     switchd's socket (default /run/tandem/control.sock)\n"
	"  --switchctl PATH   the switchctl to run\n"
	"  --help, --version\n"
	"exit status: 0 done, 1 failed, 2 usage or refused answers, 3 no answers\n";

enum {
	OPT_UNATTENDED = 256,
	OPT_ANSWERS,
	OPT_CHECK,
	OPT_HASH,
	OPT_REFRESH,
	OPT_CHANGE,
	OPT_ROOT,
	OPT_CONTROL,
	OPT_CTL
};

static const struct option longs[] = {
	{ "unattended", no_argument, NULL, OPT_UNATTENDED },
	{ "answers", required_argument, NULL, OPT_ANSWERS },
	{ "check", required_argument, NULL, OPT_CHECK },
	{ "hash-password", no_argument, NULL, OPT_HASH },
	{ "refresh", no_argument, NULL, OPT_REFRESH },
	{ "change", required_argument, NULL, OPT_CHANGE },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "switchctl", required_argument, NULL, OPT_CTL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take_root(struct options *o, char *dir, struct err *err)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		dir[--n] = '\0';
	if (n == 0 || dir[0] != '/')
		return err_set(err, ERR_USAGE, "--root", str_of(dir), "a full path other than /",
			       "there is no such place to write to");
	o->root = dir;
	return 0;
}

static int take(struct options *o, int opt, char *arg, struct err *err)
{
	switch (opt) {
	case OPT_UNATTENDED:
		o->mode = OPTIONS_UNATTENDED;
		return 0;
	case OPT_HASH:
		o->mode = OPTIONS_HASH;
		return 0;
	case OPT_REFRESH:
		o->mode = OPTIONS_REFRESH;
		return 0;
	case OPT_CHANGE:
		o->mode = OPTIONS_CHANGE;
		o->file = arg;
		return 0;
	case OPT_CHECK:
		o->mode = OPTIONS_CHECK;
		o->file = arg;
		return 0;
	case OPT_ANSWERS:
		o->file = arg;
		return 0;
	case OPT_ROOT:
		return take_root(o, arg, err);
	case OPT_CONTROL:
		o->control = arg;
		return 0;
	case OPT_CTL:
		o->ctl = arg;
		return 0;
	default:
		return err_set(err, ERR_USAGE, "", STR(""), "switch-setup --help",
			       "unknown option");
	}
}

int options_parse(struct options *ret, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*ret = (struct options){ .root = "", .control = "/run/tandem/control.sock" };
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switch-setup " TANDEM_VERSION "\n",
				    stdout);
			return 1;
		}
		r = take(ret, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switch-setup --help",
			    "unexpected argument");
	return r;
}
