/*
 * switch-golive: the go-live test as a command: a line for each test as it ends, or one JSON
 * document. SIGINT and SIGTERM end the run tidily.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

enum { READY, NOT_READY, USAGE, NO_SWITCH };

static volatile sig_atomic_t is_asked_to_stop;

static void on_signal(int number)
{
	(void)number;
	is_asked_to_stop = 1;
}

static bool on_idle(void *ctx)
{
	(void)ctx;
	return !is_asked_to_stop;
}

static void put_part(const char *name, const char *text)
{
	if (text[0])
		(void)printf("      %-9s %s\n", name, text);
}

static void on_test(void *ctx, int index, const struct golive_test *t,
		    const struct golive_outcome *o)
{
	(void)ctx;
	if (o->result == GOLIVE_RUNNING)
		return;
	(void)printf("%2d/%d %-14s %s (%lld.%01lld s)\n", index + 1, golive_count(),
		     golive_result_text(o->result), t->title, (long long)o->took_ms / 1000,
		     (long long)o->took_ms % 1000 / 100);
	put_part("reason:", o->reason);
	put_part("remedy:", o->remedy);
	put_part("evidence:", o->evidence);
	(void)fflush(stdout);
}

static json_t *test_json(const struct golive *g, int i)
{
	const struct golive_outcome *o = golive_outcome(g, i);
	const struct golive_test *t = golive_test(i);

	return json_pack("{s:s s:s s:s s:s s:s s:s s:s s:I s:i}", "name", t->name, "title",
			 t->title, "why", t->why, "result", golive_result_text(o->result), "reason",
			 o->reason, "remedy", o->remedy, "evidence", o->evidence, "ms",
			 (json_int_t)o->took_ms, "calls", o->calls);
}

static void put_json(const struct golive *g, const char *record)
{
	json_t *list = json_array(),
	       *all = json_pack("{s:b s:s s:o}", "passed", golive_is_passed(g), "record", record,
				"tests", list);

	for (int i = 0; i < golive_count(); i++) {
		if (golive_outcome(g, i)->result != GOLIVE_WAITING)
			(void)json_array_append_new(list, test_json(g, i));
	}
	char *text = json_dumps(all, JSON_INDENT(2));
	(void)puts(text ? text : "{}");
	free(text);
	json_decref(all);
}

static int say(const struct err *err, int r)
{
	(void)fprintf(stderr, "switch-golive: %s", err->message[0] ? err->message : strerror(-r));
	if (err->given[0])
		(void)fprintf(stderr, " (%s)", err->given);
	if (err->accepted[0])
		(void)fprintf(stderr, "\n  what would do: %s", err->accepted);
	(void)fputc('\n', stderr);
	return err->code == ERR_USAGE ? USAGE : NO_SWITCH;
}

static int run(struct options *o, struct err *err)
{
	CLEANUP(golive_free) struct golive *g = NULL;
	CLEANUP(buf_done) struct buf record = BUF_INIT;

	o->config.on_idle = on_idle;
	o->config.on_test = o->is_json ? NULL : on_test;
	int r = golive_create(&g, &o->config, err);
	if (r == 0)
		r = golive_run(g, err);
	bool is_good = r == 0 && (o->config.only || golive_is_passed(g));
	if (r >= 0 && o->record)
		r = golive_save(g, o->record, &record, err);
	if (r < 0)
		return say(err, r);
	if (o->is_json)
		put_json(g, record.n ? buf_cstr(&record) : "");
	else
		(void)printf("%s\n", is_good ? "READY" : "NOT READY");
	return is_good ? READY : NOT_READY;
}

static int clean(const struct options *o, struct err *err)
{
	int r = golive_clean(&o->config, err);

	if (r < 0)
		return say(err, r);
	(void)printf("%d things taken away\n", r);
	return READY;
}

int main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct options o;
	struct err err = ERR_INIT;
	int r = options_parse(&o, argc, argv, &err);

	if (r != 0)
		return r == 1 ? READY : say(&err, r);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return o.is_clean ? clean(&o, &err) : run(&o, &err);
}
