/* switch-setup: see docs/man/switch-setup.8. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply.h"
#include "base/cleanup.h"
#include "base/password.h"
#include "base/secret.h"
#include "console.h"
#include "guide.h"
#include "options.h"
#include "unattended.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_NO_ANSWERS };

#define CTL_INSTALLED "/usr/bin/switchctl"

static struct console console;

/* switchctl stands beside this program in a build tree. */
static char *find_ctl(const char *given)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	char self[4096];

	if (given)
		return str_dup(str_of(given));
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	ptrdiff_t slash = n - 1;
	while (slash > 0 && self[slash] != '/')
		slash--;
	if (slash > 0) {
		buf_put(&path, str_n(self, (size_t)slash + 1));
		buf_putz(&path, "switchctl");
		if (buf_cstr(&path) && access(path.p, X_OK) == 0)
			return buf_steal(&path);
	}
	return str_dup(STR(CTL_INSTALLED));
}

static int fail(const struct err *err, int r)
{
	struct err e = *err;

	if (!err_is_set(&e))
		(void)err_set(&e, ERR_INTERNAL, "", STR(""), NULL, "it does not work: %s",
			      strerror(-r));
	console_err(&console, &e);
	return e.code == ERR_USAGE ? EXIT_REFUSED : EXIT_FAILED;
}

/* The first line of stdin. */
static int hash_password(void)
{
	char line[PASSWORD_MAX + 2], hash[PASSWORD_HASH_TEXT];
	struct str password, rest;

	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	rest = str_of(line);
	if (!str_line(&rest, &password))
		password = STR("");
	const char *weak = password_weakness(password, STR("admin"));
	int r = weak ? -EINVAL : password_hash(password, hash);
	secret_wipe(line, sizeof(line));
	if (r < 0) {
		(void)fprintf(stderr, "switch-setup: the password is refused: %s\n",
			      weak ? weak : strerror(-r));
		return EXIT_REFUSED;
	}
	(void)puts(hash);
	return EXIT_DONE;
}

static int check(struct setup *s, const char *file)
{
	struct answers_report report = { 0 };
	struct err err = ERR_INIT;

	int r = answers_load(s->answers, file, &report);
	if (r == 0)
		r = answers_check_able(s->answers, &report);
	if (r == 0) {
		(void)printf("%s: nothing is wrong with it\n", file);
		return EXIT_DONE;
	}
	if (r == -EINVAL) {
		console_report(&console, file, &report);
		return EXIT_REFUSED;
	}
	(void)SETUP_FAIL(&err, r, "cannot read %s", file);
	return fail(&err, r);
}

static int refresh(struct setup *s)
{
	CLEANUP(free) char *path = place_path(&s->place, ANSWERS_PATH);
	struct answers_report report = { 0 };
	struct err err = ERR_INIT;

	int r = path ? answers_load(s->answers, path, &report) : -ENOMEM;
	if (r == -EINVAL)
		console_report(&console, path, &report);
	if (r == 0)
		r = apply_refresh(s, &err);
	return r < 0 ? fail(&err, r) : EXIT_DONE;
}

/* Network and ports as a changed tandem.conf has them: what switch-hostd asks for. */
static int change(struct setup *s, const char *file)
{
	CLEANUP(close) int lock = console_lock(&console, &s->place);
	struct answers_report report = { 0 };
	struct err err = ERR_INIT;

	if (lock < 0)
		return fail(&err, lock);
	int r = answers_load(s->answers, file, &report);
	if (r == -EINVAL) {
		console_report(&console, file, &report);
		return EXIT_REFUSED;
	}
	if (r == 0)
		r = apply_machine(s, &err);
	return r < 0 ? fail(&err, r) : EXIT_DONE;
}

/* The unattended run, and what came of it in words. -ENOENT: there are no answers. */
static int try_answers(struct setup *s, const char *file)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct answers_report report = { 0 };
	struct err err = ERR_INIT;

	console_open_log(&console, &s->place);
	int r = unattended_run(s, file, &name, &report, &err);
	if (r == -EINVAL && report.count > 0)
		console_report(&console, buf_cstr(&name) ? name.p : "tandem.conf", &report);
	else if (r < 0 && r != -ENOENT)
		(void)fail(&err, r);
	console_close_log(&console);
	return (r == -EINVAL || r == -ENOENT) && err_is_set(&err) ? -EIO : r;
}

static int unattended(struct setup *s, const char *file)
{
	struct err err = ERR_INIT;
	CLEANUP(close) int lock = console_lock(&console, &s->place);

	if (lock < 0)
		return fail(&err, lock);
	if (place_has(&s->place, SETUP_DONE) && !file)
		return EXIT_DONE;
	int r = try_answers(s, file);
	if (r == -ENOENT)
		return EXIT_NO_ANSWERS;
	return r == 0 ? EXIT_DONE : r == -EINVAL ? EXIT_REFUSED : EXIT_FAILED;
}

/* A machine that was set up before: the forms begin with what it is. */
static void begin_as_it_is(struct setup *s)
{
	CLEANUP(free) char *path = place_path(&s->place, ANSWERS_PATH);
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct answers_report report;

	if (!path || !a || answers_load(a, path, &report) < 0)
		return;
	answers_free(s->answers);
	s->answers = TAKE(a);
	/* Of a version that took it: no page asks for it, so none could put it right. */
	answers_reset(s->answers, ANSWER_API_PORT);
}

/* What a console starts: answers if there are any, else, or if they did not do, the screens. */
static int guided(struct setup *s, const char *file)
{
	struct err err = ERR_INIT;
	int r;

	if (!file) {
		r = unattended(s, NULL);
		if (r == EXIT_DONE)
			return r;
		if (r == EXIT_NO_ANSWERS) {
			begin_as_it_is(s);
		} else {
			(void)puts("Press Enter to go on with the screens of the set-up.");
			(void)fflush(stdout);
			if (getchar() == EOF)
				return r;
		}
	} else if ((r = check(s, file)) != EXIT_DONE) {
		return r;
	}
	s->tell = (struct tell){ 0 };
	r = guide_run(s, &err);
	if (r == -EBUSY)
		return EXIT_DONE;
	return r == -ECANCELED ? EXIT_FAILED : r < 0 ? fail(&err, r) : EXIT_DONE;
}

static int run(struct setup *s, const struct options *o)
{
	switch (o->mode) {
	case OPTIONS_CHECK:
		return check(s, o->file);
	case OPTIONS_REFRESH:
		return refresh(s);
	case OPTIONS_CHANGE:
		return change(s, o->file);
	case OPTIONS_UNATTENDED:
		return unattended(s, o->file);
	default:
		return guided(s, o->file);
	}
}

int main(int argc, char **argv)
{
	struct options o;
	struct err err = ERR_INIT;

	(void)setlocale(LC_ALL, "");
	(void)umask(022);
	const struct tell told = console_tell(&console);
	int r = options_parse(&o, argc, argv, &err);
	if (r != 0)
		return r > 0 ? EXIT_DONE : fail(&err, r);
	if (o.mode == OPTIONS_HASH)
		return hash_password();
	CLEANUP(free) char *ctl = find_ctl(o.ctl);
	struct setup s = { .place = { o.root },
			   .control = o.control,
			   .ctl = ctl,
			   .answers = answers_create(),
			   .tell = told };
	int status = ctl && s.answers ? run(&s, &o) : fail(&err, -ENOMEM);
	/* The screens put others in the place of those that it began with. */
	s.answers = answers_free(s.answers);
	return status;
}
