#include "options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"switch-install: writes Tandem's image to a disk of this machine\n"
	"  --image FILE    tandem.img.zst; -: from standard input\n"
	"  --sha256 FILE   its SHA-256, as sha256sum prints it\n"
	"  --disk PATH     the disk, with no question asked; auto: the only one that there is\n"
	"  --mirror PATH   a second disk that holds the same from then on; auto: the only other "
	"one\n"
	"  --answers FILE  tandem.conf: `disk` in it says the disk; it sets up the machine later\n"
	"  --overwrite     with no question asked also over a Tandem system\n"
	"  --tty PATH      a terminal to talk on, up to four (default: standard input and output)\n"
	"  --wait          wait until somebody presses Enter, and nothing else\n"
	"  --help, --version\n"
	"exit status: 0 done, 1 failed, 2 refused, 3 the person left\n";

enum {
	OPT_IMAGE = 256,
	OPT_SHA256,
	OPT_DISK,
	OPT_MIRROR,
	OPT_ANSWERS,
	OPT_OVERWRITE,
	OPT_TTY,
	OPT_WAIT
};

static const struct option longs[] = {
	{ "image", required_argument, NULL, OPT_IMAGE },
	{ "sha256", required_argument, NULL, OPT_SHA256 },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "mirror", required_argument, NULL, OPT_MIRROR },
	{ "answers", required_argument, NULL, OPT_ANSWERS },
	{ "overwrite", no_argument, NULL, OPT_OVERWRITE },
	{ "tty", required_argument, NULL, OPT_TTY },
	{ "wait", no_argument, NULL, OPT_WAIT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take(struct options *o, int opt, const char *arg, struct err *err)
{
	const char **places[] = { &o->image, &o->sha256, &o->disk, &o->mirror, &o->answers };

	if (opt == OPT_OVERWRITE || opt == OPT_WAIT) {
		*(opt == OPT_WAIT ? &o->is_wait : &o->is_overwrite) = true;
		return 0;
	}
	if (opt == OPT_TTY && o->lines < OPTIONS_LINES) {
		o->line[o->lines++] = arg;
		return 0;
	}
	if (opt < OPT_IMAGE || opt > OPT_ANSWERS)
		return err_set(err, ERR_USAGE, "", STR(""), "switch-install --help",
			       opt == OPT_TTY ? "too many terminals" : "unknown option");
	*places[opt - OPT_IMAGE] = arg;
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*o = (struct options){ 0 };
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switch-install " TANDEM_VERSION "\n",
				    stdout);
			return 1;
		}
		r = take(o, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switch-install --help",
			    "unexpected argument");
	if (r == 0 && !o->is_wait && (!o->image || !o->sha256))
		r = err_set(err, ERR_USAGE, "", STR(""), "switch-install --help",
			    "--image and --sha256 are needed");
	return r;
}
