#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "model/answers_file.h"
#include "model/json.h"
#include "model/text.h"
#include "options.h"
#include "plan.h"

static const char *const shown[] = { "key", "wanted", "now", "state", "why", NULL };
static const char *const done[] = { "key", "was", "now", "state", "error", NULL };

static const char *const reverted[] = { "key", "was", "now", "state", NULL };

static int verify(struct plan *p, bool is_dry)
{
	(void)is_dry;
	return plan_count_lost(p);
}

static const struct verb {
	const char *name;
	int (*act)(struct plan *p, bool is_dry); /* NULL: only looks */
	bool faults_only;
	const char *const *columns;
} verbs[] = {
	{ "apply", plan_apply, false, done },
	{ "show", NULL, false, shown },
	{ "verify", verify, true, shown },
	{ "revert", plan_revert, false, reverted },
};

static int fail(const struct err *e, int error, FILE *err)
{
	return text_fail("switch-tune", OPTIONS_USAGE, e, error, err);
}

static void put_summary(struct buf *text, const struct plan *p)
{
	static const struct {
		enum plan_state state;
		const char *text;
	} parts[] = {
		{ PLAN_RIGHT, "right" },
		{ PLAN_CHANGED, "changed" },
		{ PLAN_WOULD, "would be changed" },
		{ PLAN_DIFFERS, "differ" },
		{ PLAN_LOST, "counters of lost packets have grown" },
		{ PLAN_KEPT, "kept by a driver" },
		{ PLAN_REFUSED, "refused by the kernel" },
		{ PLAN_MISSING, "missing in this kernel" },
	};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = plan_count(p, parts[i].state);

		if (n == 0)
			continue;
		buf_printf(text, "%s%zu %s", comma, n, parts[i].text);
		comma = ", ";
	}
	buf_putc(text, '\n');
}

static int print(const struct options *o, const struct verb *v, const struct plan *p, FILE *out)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *rows = plan_json(p, v->faults_only);
	int r = rows ? 0 : -ENOMEM;

	if (r == 0 && o->is_json)
		r = text_json(rows, &text);
	else if (r == 0 && json_array_size(rows))
		r = text_table(rows, v->columns, NULL, &text);
	if (r == 0 && !o->is_json)
		put_summary(&text, p);
	if (r == 0)
		r = buf_error(&text);
	if (r == 0 && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
		r = -EIO;
	return r;
}

static const struct verb *verb_of(const struct options *o, struct err *e)
{
	for (size_t i = 0; o->verb && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(o->verb, verbs[i].name) == 0)
			return &verbs[i];
	}
	(void)err_set(e, ERR_USAGE, "", str_of(o->verb), "apply, show, verify or revert",
		      o->verb ? "there is no such verb" : "a verb is needed");
	return NULL;
}

/* A file with faults does not keep the rest of the kernel from being set. */
static int load_answers(const struct options *o, char **ret, uint32_t *ret_lines, FILE *err)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf said = BUF_INIT;
	struct answers_report report;

	buf_printf(&path, "%s" ANSWERS_PATH, o->root);
	if (!a || buf_error(&path))
		return -ENOMEM;

	int r = answers_load(a, buf_cstr(&path), &report);

	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		answers_report_print(&report, &said);
	else if (r < 0 && r != -ENOENT)
		buf_printf(&said, "%s\n", strerror(-r));
	if (said.n)
		(void)fprintf(err, "switch-tune: %s: %.*s", buf_cstr(&path),
			      STR_ARG(buf_str(&said)));
	*ret_lines = (uint32_t)answers_int(a, ANSWER_LINES);
	*ret = str_dup(o->media ? str_of(o->media) : answers_str(a, ANSWER_MEDIA_PORTS));
	return *ret ? 0 : -ENOMEM;
}

static int tune(const struct options *o, FILE *out, FILE *err)
{
	CLEANUP(free) char *media = NULL;
	uint32_t lines = 0;
	CLEANUP(plan_free) struct plan *p = NULL;
	struct err e = ERR_INIT;
	const struct verb *v = verb_of(o, &e);

	if (v && o->load_s && v->act != verify)
		v = err_set(&e, ERR_USAGE, "--load", STR(""), "verify --load SECONDS",
			    "a test load goes with verify alone") < 0
			    ? NULL
			    : v;
	if (!v)
		return fail(&e, -EINVAL, err);

	int r = load_answers(o, &media, &lines, err);

	if (r == 0)
		r = plan_create(&p, o->root, media, lines, &e);
	if (r == 0 && o->load_s)
		r = plan_load(p, lines, o->load_s);
	if (r == 0 && v->act)
		r = v->act(p, o->is_dry);
	if (r == 0)
		r = print(o, v, p, out);
	if (r < 0)
		return fail(&e, r, err);

	bool has_faults = plan_count(p, PLAN_REFUSED) || plan_count(p, PLAN_LOST);

	/* After a revert everything differs: that was wanted. */
	if (v->act != plan_revert)
		has_faults |= plan_count(p, PLAN_DIFFERS) > 0;
	return has_faults && v->act ? RUN_FAULTS : RUN_DONE;
}

int run(int argc, const char *const *argv, FILE *out, FILE *err)
{
	struct options o;
	struct err e = ERR_INIT;
	int r = options_parse(&o, argc, argv, &e);

	if (r < 0)
		return fail(&e, r, err);
	if (!o.is_help && !o.is_version)
		return tune(&o, out, err);
	(void)fputs(o.is_help ? OPTIONS_USAGE : "switch-tune " TANDEM_VERSION "\n", out);
	return RUN_DONE;
}
