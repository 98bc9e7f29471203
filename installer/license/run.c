#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "key.h"
#include "machine.h"
#include "model/text.h"

enum { DONE };

static const char usage[] =
	"switch-license: licences of the Tandem softswitch\n"
	"  keygen DIR                  a pair: DIR/licence.pem to sign with, DIR/licence.pub for "
	"the "
	"build\n"
	"  machine                     what binds a licence to this machine\n"
	"  sign --key PEM customer=NAME lines=N [machine=HEX|any] [cps=N] [features=A,B]\n"
	"       [issued=TIME] [expires=TIME]\n"
	"                              a licence\n"
	"  show FILE                   what a licence says\n"
	"  verify FILE                 is it signed by us (--key PUB: by that key), for this "
	"machine?\n"
	"  --write FILE                of machine and sign: there instead of standard output\n"
	"  --sys DIR                   of machine and verify: sysfs (default /sys)\n"
	"  --help, --version\n";

struct words {
	const char *key, *write, *sys;
	const char *word[32]; /* what is no option */
	int words;
};

typedef int command_fn(const struct words *w, struct buf *out, struct err *err);

static int misused(struct err *err, const char *word, const char *what)
{
	return err_set(err, ERR_USAGE, "", str_of(word), "switch-license --help", "%s", what);
}

static const char *only_word(const struct words *w, struct err *err, const char *what)
{
	if (w->words == 1)
		return w->word[0];
	(void)misused(err, w->words ? w->word[1] : "", what);
	return NULL;
}

/* ---- commands ---- */

static int do_keygen(const struct words *w, struct buf *out, struct err *err)
{
	const char *dir = only_word(w, err, "keygen needs one folder");

	(void)out;
	return dir ? key_generate(dir, err) : -EINVAL;
}

static int do_machine(const struct words *w, struct buf *out, struct err *err)
{
	char binding[LICENCE_BINDING];

	if (w->words)
		return misused(err, w->word[0], "machine takes no words");
	int r = machine_binding(w->sys, binding, err);
	if (r == 0)
		buf_printf(out, "%s\n", binding);
	return r;
}

static int bad_value(struct err *err, const char *field, struct str given, const char *accepted)
{
	return err_set(err, ERR_BAD_VALUE, field, given, accepted, "%s cannot be that", field);
}

/* One of a licence's values. */
static int take_value(struct licence *l, struct str name, struct str value, struct err *err)
{
	const struct {
		const char *name;
		char *text;
		size_t size;
		uint32_t *number;
		ms_t *time;
	} fields[] = { { "customer", l->customer, sizeof(l->customer), NULL, NULL },
		       { "machine", l->machine, sizeof(l->machine), NULL, NULL },
		       { "lines", NULL, 0, &l->lines, NULL },
		       { "cps", NULL, 0, &l->cps, NULL },
		       { "features", l->features, sizeof(l->features), NULL, NULL },
		       { "issued", NULL, 0, NULL, &l->issued },
		       { "expires", NULL, 0, NULL, &l->expires } };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!str_eq(name, str_of(fields[i].name)))
			continue;
		if (fields[i].number)
			return str_to_u32(value, LICENCE_LINES_MAX, fields[i].number) < 0
				       ? bad_value(err, fields[i].name, value,
						   "a whole number up to 1000000")
				       : 0;
		if (fields[i].time)
			return clock_parse(value, fields[i].time) < 0
				       ? bad_value(err, fields[i].name, value,
						   "a time such as 2026-12-01T00:00:00Z")
				       : 0;
		return str_copy(fields[i].text, fields[i].size, value) < 0
			       ? bad_value(err, fields[i].name, value, "a shorter text")
			       : 0;
	}
	return err_set(err, ERR_UNKNOWN_FIELD, "", name,
		       "customer machine lines cps features issued expires",
		       "a licence has no such field");
}

static int do_sign(const struct words *w, struct buf *out, struct err *err)
{
	struct licence l = { .machine = LICENCE_ANY_MACHINE, .issued = clock_wall_ms() };
	int r = w->key ? 0 : misused(err, "", "sign needs --key PEM");

	for (int i = 0; r == 0 && i < w->words; i++) {
		struct str word = str_of(w->word[i]);
		ptrdiff_t eq = str_chr(word, '=');

		r = eq <= 0 ? misused(err, w->word[i], "sign takes name=value")
			    : take_value(&l, str_head(word, (size_t)eq),
					 str_skip(word, (size_t)eq + 1), err);
	}
	if (r == 0)
		r = licence_check(&l, err);
	if (r == 0)
		r = key_sign(w->key, &l, err);
	if (r == 0)
		licence_put_file(&l, out);
	return r;
}

static int read_licence(const struct words *w, struct licence *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *path = only_word(w, err, "one licence file is needed");
	int r = path ? file_read(path, LICENCE_FILE_MAX, &text, err) : -EINVAL;

	return r == 0 ? licence_parse(ret, buf_str(&text), err) : r;
}

static void put_line(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%-10s ", name);
	buf_put_printable(out, str_of(value));
	buf_putc(out, '\n');
}

static int do_show(const struct words *w, struct buf *out, struct err *err)
{
	struct licence l;
	char time[CLOCK_TEXT];
	int r = read_licence(w, &l, err);

	if (r < 0)
		return r;
	put_line(out, "customer", l.customer);
	put_line(out, "machine", l.machine);
	buf_printf(out, "%-10s %u\n%-10s %u\n", "lines", l.lines, "cps", l.cps);
	put_line(out, "features", l.features);
	put_line(out, "issued", clock_text(l.issued, time));
	put_line(out, "expires", l.expires ? clock_text(l.expires, time) : "never");
	put_line(out, "state", licence_state_name(licence_state_at(&l, clock_wall_ms())));
	put_line(out, "signature",
		 licence_verify(&l, licence_key, NULL) == 0
			 ? licence_key_is_development ? "good, by the key of a DEVELOPMENT build"
						      : "good"
			 : "NOT by the key of this build");
	return 0;
}

static int do_verify(const struct words *w, struct buf *out, struct err *err)
{
	unsigned char other[LICENCE_KEY];
	char binding[LICENCE_BINDING];
	struct licence l;
	int r = read_licence(w, &l, err);

	if (r == 0 && w->key)
		r = key_read_public(w->key, other, err);
	if (r == 0)
		r = licence_verify(&l, w->key ? other : licence_key, err);
	if (r == 0 && strcmp(l.machine, LICENCE_ANY_MACHINE) != 0) {
		r = machine_binding(w->sys, binding, err);
		if (r == 0)
			r = licence_check_machine(&l, str_of(binding), err);
	}
	if (r == 0)
		buf_printf(out, "good, %s\n",
			   licence_state_name(licence_state_at(&l, clock_wall_ms())));
	return r;
}

static const struct {
	const char *name;
	command_fn *run;
} commands[] = {
	{ "keygen", do_keygen }, { "machine", do_machine }, { "sign", do_sign },
	{ "show", do_show },     { "verify", do_verify },
};

/* ---- the frame ---- */

static int parse(struct words *w, int argc, const char *const *argv, struct err *err)
{
	const struct {
		const char *name;
		const char **to;
	} options[] = { { "--key", &w->key }, { "--write", &w->write }, { "--sys", &w->sys } };
	size_t o;

	for (int i = 2; i < argc; i++) {
		for (o = 0; o < 3 && strcmp(argv[i], options[o].name) != 0; o++)
			;
		if (o < 3 && i + 1 < argc)
			*options[o].to = argv[++i];
		else if (argv[i][0] == '-' || w->words == 32)
			return misused(err, argv[i], "this word has no place here");
		else
			w->word[w->words++] = argv[i];
	}
	return 0;
}

static int do_command(command_fn *command, const struct words *w, FILE *out, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = command(w, &text, err);

	if (r == 0)
		r = buf_error(&text);
	if (r == 0 && w->write)
		return file_write(w->write, buf_str(&text), 0644, true, err);
	if (r == 0 && text.n > 0 && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
		r = -EIO;
	return r;
}

int run(int argc, const char *const *argv, FILE *out, FILE *err)
{
	struct words w = { .sys = "/sys" };
	struct err e = ERR_INIT;
	const char *first = argc > 1 ? argv[1] : "";

	if (strcmp(first, "--help") == 0 || strcmp(first, "--version") == 0) {
		(void)fputs(first[2] == 'h' ? usage : "switch-license " TANDEM_VERSION "\n", out);
		return DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(first, commands[i].name) != 0)
			continue;
		int r = parse(&w, argc, argv, &e);

		if (r == 0)
			r = do_command(commands[i].run, &w, out, &e);
		return r < 0 ? text_fail("switch-license", "", &e, r, err) : DONE;
	}
	return text_fail("switch-license", "", &e, misused(&e, first, "there is no such command"),
			 err);
}
