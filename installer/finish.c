#include "finish.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "program.h"

enum { LICENCE_MS = 30000, AUDIT_MS = 120000 };

static const char AUDIT[] = "/usr/sbin/switch-audit";
/* Where switch-hostd finds it. */
static const char RECORD[] = "/var/lib/tandem-host/audit.json";

int finish_check_access(const struct setup *s, struct err *err)
{
	if (answers_is_set(s->answers, ANSWER_ADMIN_PASSWORD_HASH) ||
	    answers_is_set(s->answers, ANSWER_SSH_KEY) ||
	    place_has(&s->place, "/etc/tandem/admin.hash") ||
	    place_has(&s->place, "/etc/ssh/authorized_keys/admin"))
		return 0;
	return err_set(err, ERR_MISSING_FIELD, "admin_password_hash", STR(""),
		       "admin_password_hash or ssh_key", "nobody could log in to this machine");
}

int finish_licence(const struct setup *s, struct err *err)
{
	CLEANUP(buf_done) struct buf said = BUF_INIT;
	CLEANUP(buf_done) struct buf word = BUF_INIT;
	struct str path = answers_str(s->answers, ANSWER_LICENCE), first, rest;

	if (str_is_empty(path)) {
		tell_say(&s->tell, TELL_NOTE, "no licence was given: the switch runs UNLICENSED");
		return 0;
	}
	buf_putz(&word, "content=");
	buf_putz(&word, s->place.root);
	buf_put(&word, path);
	const char *argv[] = { s->ctl,          "-s", s->control, "license", "activate",
			       buf_cstr(&word), NULL };
	int r = argv[5] ? program_run(argv, LICENCE_MS, &said) : -ENOMEM;
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot run %s", s->ctl);
	if (r == 0) {
		tell_say(&s->tell, TELL_CHANGE, "the licence is active");
		return 0;
	}
	rest = buf_str(&said);
	if (!str_line(&rest, &first))
		first = STR("no word of why");
	return err_set(err, ERR_BAD_VALUE, "licence", path, "a licence made for this machine",
		       "the licence is refused: %.*s", STR_ARG(first));
}

void finish_audit(const struct setup *s)
{
	CLEANUP(buf_done) struct buf said = BUF_INIT;
	const char *const argv[] = { AUDIT, "--record", RECORD, "--faults", "check", NULL };
	struct str rest, line, last = STR("no result");

	/* It looks at this machine, and there may be none of the image's. */
	if (!place_is_machine(&s->place) || access(AUDIT, X_OK) < 0)
		return;

	int r = program_run(argv, AUDIT_MS, &said);

	rest = buf_str(&said);
	while (r >= 0 && str_line(&rest, &line))
		last = line;
	tell_say(&s->tell, TELL_NOTE, "hardening: %.*s%s", STR_ARG(last),
		 r == 0 ? "" : "; `switch-audit check` says what and why");
}

int finish_done(const struct setup *s, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_putz(&text, "version=" TANDEM_VERSION "\ndone=");
	buf_put_time(&text, clock_wall_ms());
	buf_putc(&text, '\n');
	int r = buf_error(&text);
	if (r == 0)
		r = place_write(&s->place, SETUP_DONE, 0644, buf_str(&text));
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot write " SETUP_DONE);
	(void)place_remove(&s->place, SETUP_ANSWERS);
	return 0;
}
