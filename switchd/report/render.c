#include "report/render.h"

#include <errno.h>
#include <string.h>

#include "base/csv.h"
#include "model/json.h"
#include "model/report.h"
#include "model/utf8.h"

/* ---- cells ---- */

static void cell(const json_t *row, const char *name, struct buf *out)
{
	const json_t *v = json_object_get(row, name);

	buf_clear(out);
	if (v && !json_is_null(v))
		(void)json_to_text(v, out);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static json_t *writable(const json_t *j)
{
	/* jansson's iterators only read, yet want a pointer that may write. */
	return (json_t *)(uintptr_t)j;
}

/* ---- CSV ---- */

int render_csv(const json_t *doc, struct buf *out)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const json_t *columns = json_object_get(doc, "columns");
	json_t *rows = json_object_get(doc, "rows");
	size_t n = json_array_size(rows), width = json_array_size(columns);

	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; k < width; k++) {
			const char *name = json_string_value(json_array_get(columns, k));

			if (k > 0)
				buf_putc(out, ',');
			if (i == 0) {
				buf_putz(out, name);
				continue;
			}
			cell(json_array_get(rows, i - 1), name, &text);
			csv_put(out, buf_str(&text), ',');
		}
		buf_putz(out, "\r\n");
	}
	return buf_error(out);
}

/* ---- HTML ---- */

static const struct report_column *column_of(const char *name)
{
	for (int r = 0; r < REPORT_COUNT; r++) {
		for (int i = 0; i < report_infos[r].columns; i++) {
			if (strcmp(report_infos[r].column[i].name, name) == 0)
				return &report_infos[r].column[i];
		}
	}
	return NULL;
}

static bool is_number(const char *name)
{
	const struct report_column *c = column_of(name);

	return (c && c->type != REPORT_T_KEY) || strcmp(name, "amount") == 0;
}

/* blank: what stands in the first cell if the row has nothing for it. */
static void put_row(struct buf *out, const json_t *columns, const json_t *row, const char *tag,
		    const char *blank)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(out, "<tr%s>", tag);
	for (size_t k = 0; k < json_array_size(columns); k++) {
		const char *name = json_string_value(json_array_get(columns, k));

		cell(row, name, &text);
		buf_putz(out, is_number(name) ? "<td class=n>" : "<td>");
		buf_put_html(out, text.n || k > 0 ? buf_str(&text) : str_of(blank));
		buf_putz(out, "</td>");
	}
	buf_putz(out, "</tr>\n");
}

static void put_table(struct buf *out, const json_t *doc)
{
	const json_t *columns = json_object_get(doc, "columns"), *row;
	json_t *rows = json_object_get(doc, "rows"), *totals = json_object_get(doc, "totals");
	size_t i;

	buf_putz(out, "<table>\n<thead><tr>");
	for (i = 0; i < json_array_size(columns); i++) {
		const char *name = json_string_value(json_array_get(columns, i));
		const struct report_column *c = column_of(name);

		buf_putz(out, is_number(name) ? "<th class=n>" : "<th>");
		buf_put_html(out, str_of(c ? c->title : name));
		buf_putz(out, "</th>");
	}
	buf_putz(out, "</tr></thead>\n<tbody>\n");
	json_array_foreach(rows, i, row) put_row(out, columns, row, "", "");
	buf_putz(out, "</tbody>\n<tfoot>\n");
	json_array_foreach(totals, i, row) put_row(out, columns, row, " class=t", "Total");
	buf_putz(out, "</tfoot></table>\n");
	if (json_is_true(json_object_get(doc, "is_cut")))
		buf_putz(out, "<p>There are more rows than are shown.</p>\n");
}

static void put_heading(struct buf *out, const char *tag, const char *text)
{
	buf_printf(out, "<%s>", tag);
	buf_put_html(out, str_of(text));
	buf_printf(out, "</%s>\n", tag);
}

static void put_facts(struct buf *out, const json_t *facts)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *name;
	json_t *v;

	if (!facts)
		return;
	buf_putz(out, "<dl>\n");
	json_object_foreach(writable(facts), name, v)
	{
		cell(facts, name, &text);
		buf_putz(out, "<dt>");
		buf_put_html(out, str_of(name));
		buf_putz(out, "</dt><dd>");
		buf_put_html(out, buf_str(&text));
		buf_putz(out, "</dd>\n");
	}
	buf_putz(out, "</dl>\n");
}

static void put_sections(struct buf *out, const json_t *doc)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(doc, "sections"), i, v)
	{
		put_heading(out, "h2", text_of(v, "help"));
		put_table(out, v);
	}
	json_array_foreach(json_object_get(doc, "notes"), i, v)
	{
		buf_putz(out, "<p class=note>");
		buf_put_html(out, str_of(json_string_value(v)));
		buf_putz(out, "</p>\n");
	}
}

static const char page_head[] =
	"<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n<style>\n"
	"body{font:10pt/1.4 sans-serif;margin:2em;color:#111}h1{font-size:15pt}h2{font-size:11pt;"
	"margin-top:1.6em}\n"
	"table{border-collapse:collapse;width:100%}th,td{padding:.25em .6em;border-bottom:1px "
	"solid "
	"#ccc;text-align:left}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
	".t td{font-weight:bold;border-top:2px solid #111}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1.5em}dd{margin:0}"
	".note{color:#444}\n"
	"thead{display:table-header-group}tr{break-inside:avoid}@page{margin:15mm}"
	"@media print{body{margin:0}}\n</style>\n<title>";

int render_html(const json_t *doc, struct buf *out)
{
	const char *title = text_of(doc, "title");
	bool is_report = !title[0];

	if (is_report)
		title = text_of(doc, "help");
	buf_putz(out, page_head);
	buf_put_html(out, str_of(title));
	buf_putz(out, "</title></head><body>\n");
	put_heading(out, "h1", title);
	buf_putz(out, "<p>");
	buf_put_html(out, str_of(text_of(doc, "from")));
	buf_putz(out, " to ");
	buf_put_html(out, str_of(text_of(doc, "to")));
	buf_putz(out, ", ");
	buf_put_html(out, str_of(text_of(doc, "zone")));
	buf_putz(out, "</p>\n");
	put_facts(out, json_object_get(doc, "facts"));
	if (is_report)
		put_table(out, doc);
	put_sections(out, doc);
	buf_putz(out, "</body></html>\n");
	return buf_error(out);
}
