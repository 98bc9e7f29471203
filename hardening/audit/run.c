#include "run.h"

#include <errno.h>
#include <string.h>

#include "audit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "model/json.h"
#include "model/text.h"
#include "options.h"

static const char *const checked[] = { "id", "state", "title", NULL };
static const char *const listed[] = { "id", "kind", "title", "source", NULL };

static int fail(const struct err *e, int error, FILE *err)
{
	return text_fail("switch-audit", OPTIONS_USAGE, e, error, err);
}

/* "  why    ..." without cutting it short, as a table would. */
static void put_line(struct buf *text, const char *name, const json_t *row, const char *member)
{
	const char *value = json_string_value(json_object_get(row, member));

	if (!value || !value[0])
		return;
	buf_printf(text, "  %-6s ", name);
	text_put(text, str_of(value));
	buf_putc(text, '\n');
}

/* What was not simply passed over or passed, in full. */
static void put_details(struct buf *text, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));

		if (strcmp(state, "passed") == 0 || strcmp(state, "skipped") == 0)
			continue;
		buf_printf(text, "\n%s %s: %s\n", json_string_value(json_object_get(row, "id")),
			   state, json_string_value(json_object_get(row, "title")));
		put_line(text, "found", row, "found");
		put_line(text, "why", row, "why");
		put_line(text, "fix", row, "fix");
		put_line(text, "source", row, "source");
	}
}

static void put_summary(struct buf *text, const struct audit *a)
{
	buf_printf(text, "switch-audit: %zu passed, %zu failed", audit_count(a, AUDIT_PASSED),
		   audit_count(a, AUDIT_FAILED));
	if (audit_count(a, AUDIT_FIXED))
		buf_printf(text, ", %zu fixed", audit_count(a, AUDIT_FIXED));
	if (audit_count(a, AUDIT_UNKNOWN))
		buf_printf(text, ", %zu unknown", audit_count(a, AUDIT_UNKNOWN));
	if (audit_count(a, AUDIT_SKIPPED))
		buf_printf(text, ", %zu skipped", audit_count(a, AUDIT_SKIPPED));
	buf_putc(text, '\n');
}

static int put_text(struct buf *text, const struct audit *a, const json_t *rows, bool is_list)
{
	int r = 0;

	if (json_array_size(rows))
		r = text_table(rows, is_list ? listed : checked, NULL, text);
	if (r == 0 && !is_list) {
		put_details(text, rows);
		put_summary(text, a);
	}
	return r < 0 ? r : buf_error(text);
}

static int print(const struct options *o, const struct audit *a, bool is_list, FILE *out)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *rows = audit_json(a, o->is_faults && !is_list);
	int r = rows ? 0 : -ENOMEM;

	if (r == 0)
		r = o->is_json ? text_json(rows, &text) : put_text(&text, a, rows, is_list);
	if (r == 0 && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
		r = -EIO;
	return r;
}

/* What switch-hostd answers to `audit show`. */
static json_t *record_of(const struct audit *a)
{
	char text[CLOCK_TEXT];
	json_t *faults = audit_json(a, true);

	return faults ? json_pack("{s:s s:s s:I s:I s:I s:I s:I s:o}", "time",
				  clock_text(clock_wall_ms(), text), "version", TANDEM_VERSION,
				  "passed", (json_int_t)audit_count(a, AUDIT_PASSED), "failed",
				  (json_int_t)audit_count(a, AUDIT_FAILED), "fixed",
				  (json_int_t)audit_count(a, AUDIT_FIXED), "unknown",
				  (json_int_t)audit_count(a, AUDIT_UNKNOWN), "skipped",
				  (json_int_t)audit_count(a, AUDIT_SKIPPED), "faults", faults)
		      : NULL;
}

static int keep(const char *path, const struct audit *a, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *record = record_of(a);
	int r = record ? text_json(record, &text) : -ENOMEM;

	return r < 0 ? r : file_write(path, buf_str(&text), 0600, true, err);
}

static int look(const struct options *o, struct audit *a, struct err *err)
{
	CLEANUP(tree_done) struct tree t = { .fd = -1 };
	int r = tree_open(&t, o->root, err);

	return r < 0 ? r : audit_check(a, &t, o->is_fix);
}

static int audit(const struct options *o, FILE *out, FILE *err)
{
	CLEANUP(audit_free) struct audit *a = NULL;
	struct err e = ERR_INIT;
	bool is_list = o->verb && strcmp(o->verb, "list") == 0;

	if (!is_list && (!o->verb || strcmp(o->verb, "check") != 0))
		return fail(&e,
			    err_set(&e, ERR_USAGE, "", str_of(o->verb), "check or list",
				    o->verb ? "there is no such verb" : "a verb is needed"),
			    err);

	int r = audit_create(&a, o->ids, &e);

	if (r == 0 && !is_list)
		r = look(o, a, &e);
	if (r == 0 && !is_list && o->record)
		r = keep(o->record, a, &e);
	if (r == 0)
		r = print(o, a, is_list, out);
	if (r < 0)
		return fail(&e, r, err);
	return audit_count(a, AUDIT_FAILED) || audit_count(a, AUDIT_UNKNOWN) ? RUN_FAULTS
									     : RUN_DONE;
}

int run(int argc, const char *const *argv, FILE *out, FILE *err)
{
	struct options o;
	struct err e = ERR_INIT;
	int r = options_parse(&o, argc, argv, &e);

	if (r < 0)
		return fail(&e, r, err);
	if (!o.is_help && !o.is_version)
		return audit(&o, out, err);
	(void)fputs(o.is_help ? OPTIONS_USAGE : "switch-audit " TANDEM_VERSION "\n", out);
	return RUN_DONE;
}
