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
#include "lock.h"
#include "options.h"
#include "unattended.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_NO_ANSWERS };

#define CTL_INSTALLED "/usr/bin/switchctl"

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
	console_err(&e);
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
	if (r == 0) {
		(void)printf("%s: nothing is wrong with it\n", file);
		return EXIT_DONE;
	}
	if (r == -EINVAL) {
		console_report(file, &report);
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
		console_report(path, &report);
	if (r == 0)
		r = apply_refresh(s, &err);
	return r < 0 ? fail(&err, r) : EXIT_DONE;
}

static int set_up(struct setup *s, const struct options *o)
{
	bool is_guided = o->mode == OPTIONS_GUIDED;
	struct err err = ERR_INIT;
	int r;

	CLEANUP(close) int lock = lock_take(&s->place, false);
	if (lock == -EBUSY) {
		tell(&s->tell, TELL_STEP,
		     "a set-up is going on at another console; waiting for it");
		lock = lock_take(&s->place, true);
	}
	if (lock < 0)
		return fail(&err, lock);
	if (place_has(&s->place, SETUP_DONE) && !o->file)
		return EXIT_DONE;
	if (is_guided) {
		(void)err_set(&err, ERR_USAGE, "", STR(""), "--unattended", "how to set up?");
		return fail(&err, -EINVAL);
	}
	r = unattended_run(s, o->file, &err);
	if (r == -ENOENT && !is_guided)
		return EXIT_NO_ANSWERS;
	if (r == -EINVAL && !err_is_set(&err))
		return EXIT_REFUSED;
	return r < 0 ? fail(&err, r) : EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct console console;
	struct options o;
	struct err err = ERR_INIT;

	(void)setlocale(LC_ALL, "");
	(void)umask(022);
	int r = options_parse(&o, argc, argv, &err);
	if (r != 0)
		return r > 0 ? EXIT_DONE : fail(&err, r);
	if (o.mode == OPTIONS_HASH)
		return hash_password();
	CLEANUP(free) char *ctl = find_ctl(o.ctl);
	CLEANUP(answers_free) struct answers *a = answers_create();
	if (!ctl || !a)
		return fail(&err, -ENOMEM);
	struct setup s = { .place = { o.root }, .control = o.control, .ctl = ctl, .answers = a };
	s.tell = console_tell(&console);
	if (o.mode == OPTIONS_CHECK)
		return check(&s, o.file);
	return o.mode == OPTIONS_REFRESH ? refresh(&s) : set_up(&s, &o);
}
