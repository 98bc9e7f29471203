#include "proof.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* A loan of the answer's bytes, which end with a NUL; NULL for none. */
static const char *text_or_none(const struct setup *s, enum answer id)
{
	return answers_is_set(s->answers, id) ? answers_str(s->answers, id).p : NULL;
}

void proof_config(const struct setup *s, struct golive_config *ret)
{
	static const enum answer ports[] = { ANSWER_SIP_PORT, ANSWER_SIP_TLS_PORT, ANSWER_API_PORT,
					     ANSWER_SSH_PORT };
	int open = 0;

	*ret = (struct golive_config){
		.control = s->control,
		.test_number = text_or_none(s, ANSWER_TEST_NUMBER),
		.test_caller = text_or_none(s, ANSWER_TEST_CALLER),
		.customer = text_or_none(s, ANSWER_TEST_CUSTOMER),
		/* Below another root there is no firewall of ours. */
		.is_scan_off = !place_is_machine(&s->place),
	};
	if (answers_is_set(s->answers, ANSWER_LINES))
		ret->lines = (uint32_t)answers_int(s->answers, ANSWER_LINES);
	if (machine_address(&s->machine, s->answers, false, &ret->sip) == 0)
		addr_set_port(&ret->sip, (uint16_t)answers_int(s->answers, ANSWER_SIP_PORT));
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		int64_t port = answers_int(s->answers, ports[i]);

		if (port > 0)
			ret->open_tcp[open++] = (uint16_t)port;
	}
}

static void on_test(void *ctx, int index, const struct golive_test *t,
		    const struct golive_outcome *o)
{
	const struct setup *s = ctx;
	enum tell_kind kind = o->result == GOLIVE_FAILED ? TELL_BAD : TELL_NOTE;

	if (o->result == GOLIVE_RUNNING)
		return;
	tell_say(&s->tell, kind, "%d/%d %s: %s", index + 1, golive_count(), t->title,
		 golive_result_text(o->result));
	if (o->result == GOLIVE_FAILED)
		tell_say(&s->tell, TELL_NOTE, "   %s %s", o->reason, o->remedy);
}

int proof_save(const struct setup *s, const struct golive *g, struct buf *ret_path, struct err *err)
{
	CLEANUP(free) char *folder = place_path(&s->place, SETUP_DIR);

	if (!folder)
		return -ENOMEM;
	return golive_save(g, folder, ret_path, err);
}

/* How many tests came to this. */
static int count(const struct golive *g, enum golive_result result)
{
	int n = 0;

	for (int i = 0; i < golive_count(); i++)
		n += golive_outcome(g, i)->result == result;
	return n;
}

int proof_judge(const struct setup *s, const struct golive *g, struct err *err)
{
	int failed = count(g, GOLIVE_FAILED), not_run = count(g, GOLIVE_NOT_RUN);
	/* The look from outside makes no sense where there is no firewall of ours. */
	int excused = place_is_machine(&s->place) ? 0 : 1;

	if (failed == 0 && not_run <= excused)
		return 0;
	(void)err_set(err, ERR_CONFLICT, "golive", STR(""), "the record names reason and remedy",
		      "the go-live test is not passed: %d tests failed, %d could not be run",
		      failed, not_run);
	return -EBADE;
}

int proof_run(const struct setup *s, struct err *err)
{
	CLEANUP(golive_free) struct golive *g = NULL;
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct golive_config c;

	tell_say(&s->tell, TELL_STEP, "go-live test");
	proof_config(s, &c);
	c.on_test = on_test;
	c.ctx = (void *)(uintptr_t)s;
	int r = golive_create(&g, &c, err);
	if (r < 0)
		return r;
	r = golive_run(g, err);
	if (r < 0)
		return r;
	r = proof_save(s, g, &path, err);
	if (r < 0)
		return r;
	tell_say(&s->tell, TELL_NOTE, "the record is %.*s.txt and .html", STR_ARG(buf_str(&path)));
	return proof_judge(s, g, err);
}
