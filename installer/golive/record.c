#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "golive/inner.h"

/*
 * The deployment record: what was tested, on which machine, with which configuration, and what came
 * of it. One list of facts, printed twice: as text, and as HTML in which every octet that does not
 * come from here is escaped.
 */

struct page {
	struct buf *out;
	bool is_html;
};

static void put_text(struct page *p, const char *text)
{
	if (p->is_html)
		buf_put_html(p->out, str_of(text));
	else
		buf_put_printable(p->out, str_of(text));
}

static void heading(struct page *p, const char *text)
{
	if (p->is_html)
		buf_printf(p->out, "<h2>%s</h2>\n", text);
	else
		buf_printf(p->out, "\n%s\n\n", text);
}

static void table(struct page *p, bool is_begin)
{
	if (p->is_html)
		buf_putz(p->out, is_begin ? "<table>\n" : "</table>\n");
}

/* A name and what it is; nothing for what is not known. */
static void fact(struct page *p, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	if (p->is_html) {
		buf_printf(p->out, "<tr><th>%s</th><td>", name);
		put_text(p, value);
		buf_putz(p->out, "</td></tr>\n");
		return;
	}
	buf_printf(p->out, "  %-16s ", name);
	put_text(p, value);
	buf_putc(p->out, '\n');
}

__attribute__((format(printf, 3, 4))) static void factf(struct page *p, const char *name,
							const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	fact(p, name, value);
}

/* ---- what the machine is ---- */

static void fact_of_file(struct page *p, const char *name, const char *path)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (file_read(path, 4096, &text, NULL) < 0)
		return;
	struct str line = str_trim(buf_str(&text));
	factf(p, name, "%.*s", STR_ARG(str_head(line, 200)));
}

static void machine(struct page *p, const struct golive *g)
{
	char host[256] = "", at[ADDR_TEXT];
	struct sysinfo s = { 0 };
	struct utsname u;

	(void)gethostname(host, sizeof(host) - 1);
	heading(p, "Machine");
	table(p, true);
	fact(p, "Name", host);
	fact_of_file(p, "Maker", "/sys/class/dmi/id/sys_vendor");
	fact_of_file(p, "Product", "/sys/class/dmi/id/product_name");
	if (uname(&u) == 0)
		factf(p, "Kernel", "%s %s", u.release, u.machine);
	factf(p, "Processors", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	if (sysinfo(&s) == 0)
		factf(p, "Memory", "%llu MiB",
		      (unsigned long long)s.totalram * s.mem_unit / (1024 * 1024));
	factf(p, "SIP address", "%s", addr_text(&g->c.sip, at));
	table(p, false);
}

static void software(struct page *p, struct golive *g)
{
	CLEANUP(json_decref) json_t *licence = ask(g, "license.show", json_object());

	heading(p, "Switch");
	table(p, true);
	fact(p, "Version", text_in(g->status, "version"));
	factf(p, "Licence", "%s (%s)", text_in(g->status, "licence"),
	      text_in(g->status, "licence_state"));
	if (int_in(g->status, "licence_lines") > 0)
		factf(p, "Lines", "%lld", (long long)int_in(g->status, "licence_lines"));
	fact(p, "Licence until", text_in(g->status, "licence_expires"));
	fact(p, "Machine id", text_in(licence, "this_machine"));
	if (json_is_true(json_object_get(licence, "development_key")))
		fact(p, "Build", "DEVELOPMENT: its licence key is a throw-away");
	table(p, false);
}

/* ---- what is configured ---- */

/* "name1, name2 ..." of an operation's rows, ours left out. */
static void names(struct page *p, struct golive *g, const char *what, const char *method,
		  const char *key)
{
	CLEANUP(json_decref) json_t *rows = ask(g, method, json_object());
	CLEANUP(buf_done) struct buf list = BUF_INIT;
	int n = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *name = text_in(json_array_get(rows, i), key);

		if (is_ours(name))
			continue;
		if (n++ < 20)
			buf_printf(&list, "%s%s", n > 1 ? ", " : "", name);
	}
	factf(p, what, "%d%s%s%s", n, n ? ": " : "", n ? buf_cstr(&list) : "",
	      n > 20 ? " ..." : "");
}

static void changed_parameters(struct page *p, struct golive *g)
{
	CLEANUP(json_decref) json_t *rows = ask(g, "parameter.list", json_object());

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (json_is_true(json_object_get(row, "changed")))
			factf(p, "Parameter", "%s = %s", text_in(row, "name"),
			      text_in(row, "value"));
	}
}

static void configuration(struct page *p, struct golive *g)
{
	heading(p, "Configuration");
	table(p, true);
	names(p, g, "Customers", "mapping-gateway.list", "name");
	names(p, g, "Vendors", "routing-gateway.list", "name");
	names(p, g, "Accounts", "account.list", "id");
	names(p, g, "Rate groups", "rate-group.list", "name");
	fact(p, "Test number", g->c.test_number);
	changed_parameters(p, g);
	table(p, false);
}

/* ---- what was tested ---- */

static void put_test(struct page *p, int number, const struct golive_test *t,
		     const struct golive_outcome *o)
{
	char began[CLOCK_TEXT];

	if (p->is_html) {
		buf_printf(p->out, "<h3 class=\"r%d\">%d. ", (int)o->result, number);
		put_text(p, t->title);
		buf_printf(p->out, ": %s</h3>\n", golive_result_text(o->result));
	} else {
		buf_printf(p->out, "%2d. %-14s %s\n", number, golive_result_text(o->result),
			   t->title);
	}
	table(p, true);
	fact(p, "Test", t->name);
	fact(p, "Why", t->why);
	fact(p, "Reason", o->reason);
	fact(p, "Remedy", o->remedy);
	fact(p, "Evidence", o->evidence);
	if (o->result != GOLIVE_WAITING)
		factf(p, "Time", "%s, %lld.%03lld s, %d calls", clock_text(o->began, began),
		      (long long)(o->took_ms / 1000), (long long)(o->took_ms % 1000), o->calls);
	table(p, false);
	if (!p->is_html)
		buf_putc(p->out, '\n');
}

static void summary(struct page *p, const struct golive *g)
{
	char began[CLOCK_TEXT], ended[CLOCK_TEXT];
	int count[GOLIVE_RESULT_COUNT] = { 0 }, calls = 0;

	for (int i = 0; i < CHECK_COUNT; i++) {
		count[g->outcome[i].result]++;
		calls += g->outcome[i].calls;
	}
	heading(p, "Result");
	table(p, true);
	fact(p, "Verdict", golive_is_passed(g) ? "READY: no test failed" : "NOT READY");
	factf(p, "Tests", "%d passed, %d failed, %d not configured, %d not run",
	      count[GOLIVE_PASSED], count[GOLIVE_FAILED], count[GOLIVE_NOT_CONFIGURED],
	      count[GOLIVE_NOT_RUN] + count[GOLIVE_WAITING]);
	factf(p, "Test calls", "%d", calls);
	fact(p, "Begun", clock_text(g->began, began));
	fact(p, "Ended", clock_text(g->ended, ended));
	table(p, false);
}

static int put_record(struct page *p, const struct golive *g)
{
	/* The switch is asked what is configured: that changes nothing of the run but its connection. */
	struct golive *asking = (struct golive *)(uintptr_t)g;

	summary(p, g);
	machine(p, g);
	software(p, asking);
	configuration(p, asking);
	heading(p, "Tests");
	for (int i = 0; i < CHECK_COUNT; i++)
		put_test(p, i + 1, golive_test(i), &g->outcome[i]);
	return buf_error(p->out);
}

int golive_record_text(const struct golive *g, struct buf *out)
{
	struct page p = { .out = out };

	buf_putz(out, "Tandem: record of deployment\n");
	return put_record(&p, g);
}

static const char style[] =
	"body{font:15px/1.4 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
	"th{text-align:left;vertical-align:top;padding-right:1em;white-space:nowrap;"
	"font-weight:normal;color:#666}h3{margin:1.2em 0 .2em}.r2{color:#17692f}.r3{color:#b00020}"
	".r4,.r5{color:#7a5c00}";

int golive_record_html(const struct golive *g, struct buf *out)
{
	struct page p = { .out = out, .is_html = true };

	buf_printf(out,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
		   "<title>Tandem: record of deployment</title>\n<style>%s</style></head>\n<body>\n"
		   "<h1>Tandem: record of deployment</h1>\n",
		   style);
	int r = put_record(&p, g);
	buf_putz(out, "</body>\n</html>\n");
	return r < 0 ? r : buf_error(out);
}

static void put_stamp(struct buf *out, ms_t t)
{
	char text[CLOCK_TEXT];

	clock_text(t, text);
	for (const char *c = text; *c && *c != '.'; c++) {
		if (*c != '-' && *c != ':')
			buf_putc(out, *c);
	}
	buf_putc(out, 'Z');
}

static int save_one(const struct golive *g, const struct buf *path, const char *ending,
		    int (*put)(const struct golive *, struct buf *), struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	CLEANUP(buf_done) struct buf content = BUF_INIT;

	buf_put(&name, buf_str(path));
	buf_putz(&name, ending);
	const char *text = buf_cstr(&name);
	int r = text ? put(g, &content) : -ENOMEM;
	return r == 0 ? file_write(text, buf_str(&content), 0640, true, err) : r;
}

int golive_save(const struct golive *g, const char *dir, struct buf *ret_path, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/golive-", dir);
	put_stamp(&path, g->began);
	if (buf_error(&path) < 0)
		return -ENOMEM;
	int r = save_one(g, &path, ".txt", golive_record_text, err);
	if (r == 0)
		r = save_one(g, &path, ".html", golive_record_html, err);
	if (r == 0)
		buf_put(ret_path, buf_str(&path));
	return r;
}
