#include "options.h"

#include <getopt.h>

#include "base/str.h"
#include "model/tries.h"

enum { IDLE_S = 600, IDLE_MAX_S = 86400 };

static const char usage[] =
	"usage: switch-console [-s SOCKET] [--login] [--read-only] [--idle SECONDS] [--ascii]\n"
	"\n"
	"  -s, --socket PATH   switchd's control socket (" OPTIONS_SOCKET ")\n"
	"      --login         ask for the administrator's password; leaving logs out, never ends\n"
	"      --hash FILE     where its hash is (" OPTIONS_HASH_FILE ")\n"
	"      --tries FILE    where wrong ones are counted (" TRIES_PATH ")\n"
	"      --read-only     nothing can be changed\n"
	"      --idle SECONDS  over after so long without a key (600); 0 = never\n"
	"      --ascii         lines and texts in ASCII, whatever the locale says\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version of this program\n";

enum { LOGIN = 256, HASH, TRIES, READ_ONLY, IDLE, ASCII };

static int set_idle(struct options *o, const char *text, FILE *err)
{
	uint32_t seconds;

	if (str_to_u32(str_of(text), IDLE_MAX_S, &seconds) < 0) {
		(void)fprintf(err, "switch-console: --idle %s: 0 to %d seconds\n", text,
			      IDLE_MAX_S);
		return 2;
	}
	o->idle_ms = (ms_t)seconds * 1000;
	return OPTIONS_GO;
}

static int set(struct options *o, int option, const char *text, FILE *out, FILE *err)
{
	switch (option) {
	case 's':
		o->socket = text;
		return OPTIONS_GO;
	case LOGIN:
		o->is_login = true;
		return OPTIONS_GO;
	case HASH:
		o->hash_file = text;
		return OPTIONS_GO;
	case TRIES:
		o->tries_file = text;
		return OPTIONS_GO;
	case READ_ONLY:
		o->is_read_only = true;
		return OPTIONS_GO;
	case IDLE:
		return set_idle(o, text, err);
	case ASCII:
		o->is_ascii = true;
		return OPTIONS_GO;
	case 'h':
		(void)fputs(usage, out);
		return 0;
	case 'V':
		(void)fputs("switch-console " TANDEM_VERSION "\n", out);
		return 0;
	default:
		(void)fputs(usage, err);
		return 2;
	}
}

int options_parse(struct options *ret, int argc, char **argv, FILE *out, FILE *err)
{
	static const struct option known[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "login", no_argument, NULL, LOGIN },
		{ "hash", required_argument, NULL, HASH },
		{ "tries", required_argument, NULL, TRIES },
		{ "read-only", no_argument, NULL, READ_ONLY },
		{ "idle", required_argument, NULL, IDLE },
		{ "ascii", no_argument, NULL, ASCII },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option, r = OPTIONS_GO;

	*ret = (struct options){ .socket = OPTIONS_SOCKET,
				 .hash_file = OPTIONS_HASH_FILE,
				 .tries_file = TRIES_PATH,
				 .idle_ms = (ms_t)IDLE_S * 1000 };
	optind = 0; /* begins anew, for tests */
	opterr = 0;
	while (r == OPTIONS_GO && (option = getopt_long(argc, argv, "s:hV", known, NULL)) >= 0)
		r = set(ret, option, optarg, out, err);
	if (r == OPTIONS_GO && optind < argc) {
		(void)fputs(usage, err);
		return 2;
	}
	return r;
}
