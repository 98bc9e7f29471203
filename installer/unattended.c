#include "unattended.h"

#include <errno.h>

#include "apply.h"
#include "base/cleanup.h"
#include "commands.h"
#include "console.h"
#include "finish.h"
#include "source.h"
#include "state.h"

int unattended_steps(struct setup *s, struct err *err)
{
	struct state st;

	int r = finish_check_access(s, err);
	if (r == 0)
		r = state_load(&st, s);
	if (r == 0)
		r = apply_machine(s, err);
	if (r == 0)
		r = finish_licence(s, err);
	if (r == 0)
		r = commands_run(s, &st, err);
	return r < 0 ? r : finish_done(s, err);
}

int unattended_run(struct setup *s, const char *file, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct answers_report report;

	int r = source_load(s, file, &name, &report, err);
	if (r == -EINVAL && report.count > 0) {
		console_report(buf_cstr(&name) ? name.p : "tandem.conf", &report);
		return r;
	}
	if (r < 0)
		return r;
	tell(&s->tell, TELL_STEP, "setting up from %.*s", STR_ARG(buf_str(&name)));
	r = unattended_steps(s, err);
	if (r == 0)
		tell(&s->tell, TELL_STEP, "the set-up is done");
	return r;
}
