#include "unattended.h"

#include <errno.h>

#include "apply.h"
#include "base/cleanup.h"
#include "commands.h"
#include "finish.h"
#include "load.h"
#include "proof.h"
#include "source.h"
#include "state.h"

static int prove(struct setup *s, struct state *st, struct err *err)
{
	if (!answers_bool(s->answers, ANSWER_GOLIVE) || st->is_golive_passed)
		return 0;
	int r = proof_run(s, err);
	if (r < 0)
		return r;
	st->is_golive_passed = true;
	return state_save(st, s, err);
}

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
	if (r == 0)
		r = prove(s, &st, err);
	if (r == 0)
		finish_audit(s);
	return r < 0 ? r : finish_done(s, err);
}

int unattended_run(struct setup *s, const char *file, struct buf *name,
		   struct answers_report *report, struct err *err)
{
	CLEANUP(buf_done) struct buf load = BUF_INIT;

	int r = source_load(s, file, name, report, err);
	if (r < 0)
		return r;
	tell_say(&s->tell, TELL_STEP, "setting up from %.*s", STR_ARG(buf_str(name)));
	if (load_missing(s->answers, &load) > 0)
		tell_say(&s->tell, TELL_NOTE, "%.*s: too few", STR_ARG(buf_str(&load)));
	r = unattended_steps(s, err);
	if (r == 0)
		tell_say(&s->tell, TELL_STEP, "the set-up is done");
	return r;
}
