#include "report/render.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/zone.h"
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

enum { MONEY_DECIMALS = 2, COLUMNS_MAX = 32 };

static bool is_number(const char *name)
{
	const struct report_column *c = column_of(name);

	return (c && c->type != REPORT_T_KEY) || strcmp(name, "amount") == 0;
}

static bool is_money(const char *name)
{
	const struct report_column *c = column_of(name);

	return (c && c->type == REPORT_T_MONEY) || strcmp(name, "amount") == 0;
}

/* How a table is written: which columns, and with how many decimals each, so that the points of a column stand below each other. */
struct layout {
	const json_t *columns;
	bool is_left_out[COLUMNS_MAX];
	size_t decimals[COLUMNS_MAX];
};

static size_t decimals_of(struct str number)
{
	struct str whole;

	return str_split(&number, '.', &whole) ? number.n : 0;
}

/* Of a statement the account is said above; what is the same in each row is not said in each row. */
static bool is_same_in_all(const json_t *rows, const char *name)
{
	const json_t *first = json_object_get(json_array_get(rows, 0), name), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (!json_equal(first, json_object_get(row, name)))
			return false;
	}
	return true;
}

static void measure(const json_t *rows, const char *name, size_t *decimals)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		cell(row, name, &text);
		size_t n = decimals_of(buf_str(&text));

		*decimals = n > *decimals ? n : *decimals;
	}
}

static void lay_out(struct layout *l, const json_t *doc, bool is_section)
{
	const json_t *rows = json_object_get(doc, "rows");

	*l = (struct layout){ .columns = json_object_get(doc, "columns") };
	for (size_t k = 0; k < json_array_size(l->columns) && k < COLUMNS_MAX; k++) {
		const char *name = json_string_value(json_array_get(l->columns, k));
		bool is_of_account = strcmp(name, "account") == 0 || strcmp(name, "name") == 0 ||
				     strcmp(name, "currency") == 0;

		l->is_left_out[k] = is_section && is_of_account && is_same_in_all(rows, name);
		if (!is_money(name))
			continue;
		l->decimals[k] = MONEY_DECIMALS;
		measure(rows, name, &l->decimals[k]);
		measure(json_object_get(doc, "totals"), name, &l->decimals[k]);
	}
}

static bool is_shown(const struct layout *l, size_t k)
{
	return k >= COLUMNS_MAX || !l->is_left_out[k];
}

static void pad(struct buf *text, size_t decimals)
{
	size_t n = decimals_of(buf_str(text));

	if (text->n == 0 || decimals == 0)
		return;
	if (n == 0)
		buf_putc(text, '.');
	for (; n < decimals; n++)
		buf_putc(text, '0');
}

/* blank: what stands in the first cell if the row has nothing for it. */
static void put_row(struct buf *out, const struct layout *l, const json_t *row, const char *tag,
		    const char *blank)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	bool is_first = true;

	buf_printf(out, "<tr%s>", tag);
	for (size_t k = 0; k < json_array_size(l->columns); k++) {
		const char *name = json_string_value(json_array_get(l->columns, k));

		if (!is_shown(l, k))
			continue;
		cell(row, name, &text);
		pad(&text, k < COLUMNS_MAX ? l->decimals[k] : 0);
		buf_putz(out, is_number(name)             ? "<td class=n>"
			      : strcmp(name, "time") == 0 ? "<td class=w>"
							  : "<td>");
		buf_put_html(out, text.n || !is_first ? buf_str(&text) : str_of(blank));
		buf_putz(out, "</td>");
		is_first = false;
	}
	buf_putz(out, "</tr>\n");
}

/* A column that has no title of its own is called as its field is. */
static void put_title(struct buf *out, const char *name)
{
	const struct report_column *c = column_of(name);
	const char *title = c && c->title ? c->title : name;
	char first = title[0];

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	buf_putc(out, first);
	buf_put_html(out, str_of(title + 1));
}

/* is_section: of a statement, which says above whose it is. */
static void put_table(struct buf *out, const json_t *doc, bool is_section)
{
	json_t *rows = json_object_get(doc, "rows"), *totals = json_object_get(doc, "totals");
	struct layout l;
	const json_t *row;
	size_t i;

	lay_out(&l, doc, is_section);
	buf_putz(out, "<table>\n<thead><tr>");
	for (i = 0; i < json_array_size(l.columns); i++) {
		const char *name = json_string_value(json_array_get(l.columns, i));

		if (!is_shown(&l, i))
			continue;
		buf_putz(out, is_number(name) ? "<th class=n>" : "<th>");
		put_title(out, name);
		buf_putz(out, "</th>");
	}
	buf_putz(out, "</tr></thead>\n<tbody>\n");
	json_array_foreach(rows, i, row) put_row(out, &l, row, "", "");
	if (!is_section || json_array_size(rows) > 1)
		json_array_foreach(totals, i, row) put_row(out, &l, row, " class=t", "Total");
	buf_putz(out, "</tbody></table>\n");
	if (json_is_true(json_object_get(doc, "is_cut")))
		buf_putz(out, "<p>There are more rows than are shown.</p>\n");
}

static void put_heading(struct buf *out, const char *tag, const char *text)
{
	buf_printf(out, "<%s>", tag);
	buf_put_html(out, str_of(text));
	buf_printf(out, "</%s>\n", tag);
}

/* "2026-11-01 00:00" on the clocks of the zone; as it stands, if it makes no sense. */
static void put_moment(struct buf *out, const struct zone *z, const char *text)
{
	char local[CLOCK_TEXT];
	ms_t at;

	if (!z || clock_parse(str_of(text), &at) < 0) {
		buf_put_html(out, str_of(text));
		return;
	}
	struct str shown = str_of(clock_text(at + zone_offset(z, at), local));
	buf_put(out, str_head(shown, 10));
	buf_putc(out, ' ');
	buf_put(out, str_head(str_skip(shown, 11), 5));
}

static void put_span(struct buf *out, const json_t *doc)
{
	CLEANUP(zone_free) struct zone *z = NULL;
	const char *zone = text_of(doc, "zone");

	(void)zone_create(&z, str_of(zone));
	buf_putz(out, "<p>");
	put_moment(out, z, text_of(doc, "from"));
	buf_putz(out, " to ");
	put_moment(out, z, text_of(doc, "to"));
	buf_putz(out, ", ");
	buf_put_html(out, str_of(zone));
	buf_putz(out, "</p>\n");
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
		put_table(out, v, true);
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
	"body{font:10pt/1.4 "
	"sans-serif;margin:2em;color:#111;overflow-wrap:break-word}h1{font-size:15pt}h2{font-size:"
	"11pt;"
	"margin-top:1.6em}\n"
	"table{border-collapse:collapse;width:100%}th,td{padding:.25em .6em;border-bottom:1px "
	"solid "
	"#ccc;text-align:left}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.w{white-space:"
	"nowrap}"
	".t td{font-weight:bold;border-top:2px solid #111}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1.5em}dd{margin:0}"
	".note{color:#444}\n"
	"thead{display:table-header-group}tr,.note{break-inside:avoid}h2{break-after:avoid}"
	".t{break-before:avoid}@page{margin:15mm 12mm;@bottom-right{content:counter(page) \" / \" "
	"counter(pages);font:8pt sans-serif}}"
	"@media print{body{margin:0;font-size:8.5pt}th,td{padding:.2em .4em}}\n</style>\n<title>";

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
	put_span(out, doc);
	put_facts(out, json_object_get(doc, "facts"));
	if (is_report)
		put_table(out, doc, false);
	put_sections(out, doc);
	buf_putz(out, "</body></html>\n");
	return buf_error(out);
}
