#include "options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"switch-golive: proves with test calls that a switch is ready to carry and to charge\n"
	"  --control PATH        control socket (default /run/tandem/control.sock)\n"
	"  --sip ADDR:PORT       where the switch takes SIP over UDP (default 127.0.0.1:5060)\n"
	"  --lines N             simultaneous calls expected (default: as licensed, at most 200)\n"
	"  --test-number NUMBER  a real call over the operator's own customer and vendor\n"
	"  --test-caller NUMBER  its caller (default 1000)\n"
	"  --customer NAME       mapping gateway it is charged like (default: the first)\n"
	"  --only A,B,...        only the tests of these names\n"
	"  --open-tcp A,B,...    ports that may answer from outside (default 5060,5061,8080,22)\n"
	"  --scan-netns PATH     network namespace to look from (default: one of our own, as "
	"root)\n"
	"  --scan-address ADDR   this machine, as seen from there\n"
	"  --no-scan             no look from outside\n"
	"  --base ADDR           first of the 256 addresses of the test ends (default 127.77.0.0)\n"
	"  --record DIR          writes the record of deployment there, as text and HTML\n"
	"  --json                one JSON document of results instead of a line for each\n"
	"  --clean               only takes away what an interrupted run left\n"
	"  --help, --version\n"
	"exit status: 0 ready, 1 not ready, 2 usage, 3 the switch cannot be tested\n";

enum {
	OPT_CONTROL = 256,
	OPT_SIP,
	OPT_LINES,
	OPT_NUMBER,
	OPT_CALLER,
	OPT_CUSTOMER,
	OPT_ONLY,
	OPT_OPEN,
	OPT_NETNS,
	OPT_ADDRESS,
	OPT_NO_SCAN,
	OPT_BASE,
	OPT_RECORD,
	OPT_JSON,
	OPT_CLEAN
};

static const struct option longs[] = {
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "sip", required_argument, NULL, OPT_SIP },
	{ "lines", required_argument, NULL, OPT_LINES },
	{ "test-number", required_argument, NULL, OPT_NUMBER },
	{ "test-caller", required_argument, NULL, OPT_CALLER },
	{ "customer", required_argument, NULL, OPT_CUSTOMER },
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "open-tcp", required_argument, NULL, OPT_OPEN },
	{ "scan-netns", required_argument, NULL, OPT_NETNS },
	{ "scan-address", required_argument, NULL, OPT_ADDRESS },
	{ "no-scan", no_argument, NULL, OPT_NO_SCAN },
	{ "base", required_argument, NULL, OPT_BASE },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "clean", no_argument, NULL, OPT_CLEAN },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take_address(struct str text, const char *name, uint16_t port, struct addr *ret,
			struct err *err)
{
	if (addr_parse(text, port, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE, name, text, "an address such as 192.0.2.1:5060",
		       "not an address");
}

static int take_ports(struct golive_config *c, struct str text, struct err *err)
{
	struct str rest = text, word;
	uint32_t port;

	for (int i = 0; str_split(&rest, ',', &word); i++) {
		if (i == GOLIVE_PORTS_MAX || str_to_u32(word, 65535, &port) < 0)
			return err_set(err, ERR_USAGE, "--open-tcp", text, "at most 16 ports",
				       "not a list of ports");
		c->open_tcp[i] = (uint16_t)port;
		if (i + 1 < GOLIVE_PORTS_MAX)
			c->open_tcp[i + 1] = 0;
	}
	return 0;
}

static int take_lines(struct golive_config *c, struct str text, struct err *err)
{
	if (str_to_u32(text, 1000000, &c->lines) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "--lines", text, "a whole number", "not a number of lines");
}

/* Options that are a text and nothing more. */
static const char **text_of(struct options *o, int opt)
{
	switch (opt) {
	case OPT_CONTROL:
		return &o->config.control;
	case OPT_NUMBER:
		return &o->config.test_number;
	case OPT_CALLER:
		return &o->config.test_caller;
	case OPT_CUSTOMER:
		return &o->config.customer;
	case OPT_ONLY:
		return &o->config.only;
	case OPT_NETNS:
		return &o->config.scan_netns;
	case OPT_RECORD:
		return &o->record;
	default:
		return NULL;
	}
}

static int take(struct options *o, int opt, const char *arg, struct err *err)
{
	const char **text = text_of(o, opt);

	if (text) {
		*text = arg;
		return 0;
	}
	switch (opt) {
	case OPT_SIP:
		return take_address(str_of(arg), "--sip", 5060, &o->config.sip, err);
	case OPT_ADDRESS:
		return take_address(str_of(arg), "--scan-address", 0, &o->config.scan_address, err);
	case OPT_BASE:
		return take_address(str_of(arg), "--base", 0, &o->config.base, err);
	case OPT_LINES:
		return take_lines(&o->config, str_of(arg), err);
	case OPT_OPEN:
		return take_ports(&o->config, str_of(arg), err);
	case OPT_NO_SCAN:
		o->config.is_scan_off = true;
		return 0;
	case OPT_JSON:
		o->is_json = true;
		return 0;
	case OPT_CLEAN:
		o->is_clean = true;
		return 0;
	default:
		return err_set(err, ERR_USAGE, "", STR(""), "switch-golive --help",
			       "unknown option");
	}
}

static bool is_test(struct str name)
{
	for (int i = 0; i < golive_count(); i++) {
		if (str_eq(name, str_of(golive_test(i)->name)))
			return true;
	}
	return false;
}

/* A name that is mistyped must not make a run of no test, which nothing can fail. */
static int check_only(const char *only, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	struct str rest = str_of(only), name = STR("");
	int count = 0;

	for (; str_split(&rest, ',', &name) && is_test(name); count++)
		;
	if (count > 0 && rest.n == 0 && is_test(name))
		return 0;
	for (int i = 0; i < golive_count(); i++)
		buf_printf(&names, "%s%s", i ? ", " : "", golive_test(i)->name);
	return err_set(err, ERR_USAGE, "--only", name, buf_cstr(&names), "--only: no such test");
}

int options_parse(struct options *ret, int argc, char **argv, struct err *err)
{
	int opt, r = 0;

	*ret = (struct options){ .config = { .control = "/run/tandem/control.sock",
					     .open_tcp = { 5060, 5061, 8080, 22 } } };
	while (r == 0 && (opt = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		if (opt == 'h' || opt == 'V') {
			(void)fputs(opt == 'h' ? usage : "switch-golive " TANDEM_VERSION "\n",
				    stdout);
			return 1;
		}
		r = take(ret, opt, optarg, err);
	}
	if (r == 0 && optind < argc)
		r = err_set(err, ERR_USAGE, "", str_of(argv[optind]), "switch-golive --help",
			    "unexpected argument");
	if (r == 0 && ret->config.only)
		r = check_only(ret->config.only, err);
	return r;
}
