#include "report/nightly.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "model/json.h"
#include "report/render.h"
#include "report/report.h"

enum { FILE_MAX = 256 << 20 };

/* ---- making ---- */

static int make_folder(const struct buf *path)
{
	return mkdir(path->p, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_one(const char *folder, const char *name, const char *ext, const json_t *doc,
		     int (*render)(const json_t *, struct buf *), json_t *files, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, out = BUF_INIT;
	int r = render(doc, &out);

	buf_printf(&path, "%s/%s.%s", folder, name, ext);
	if (r == 0)
		r = buf_cstr(&path) ? file_write(path.p, buf_str(&out), 0640, true, err) : -ENOMEM;
	if (r == 0)
		r = json_array_append_new(files, json_pack("s++", name, ".", ext)) < 0 ? -ENOMEM
										       : 0;
	return r;
}

static int write_report(const char *data_dir, const char *folder, enum report_id id,
			const struct span *span, const struct profit *profit,
			const atomic_bool *stop, json_t *files, struct err *err)
{
	const struct report_filter all = { .profit = profit };
	json_t *doc = NULL;
	int r = report_make(data_dir, id, span, &all, stop, &doc, err);

	if (r == 0)
		r = write_one(folder, report_infos[id].name, "csv", doc, render_csv, files, err);
	if (r == 0)
		r = write_one(folder, report_infos[id].name, "html", doc, render_html, files, err);
	json_decref(doc);
	return r;
}

/* "2026-11-25": the day's begin as the wall shows it. */
static int day_name(const struct span *span, char out[11])
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	span_put_time(span, span->from, &text);
	return str_copy(out, 11, str_head(buf_str(&text), 10));
}

static int write_all(const char *data_dir, const char *day, const struct span *span,
		     const struct nightly *what, const atomic_bool *stop, json_t *files,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf folder = BUF_INIT;
	int r;

	buf_printf(&folder, "%s/reports", data_dir);
	r = buf_cstr(&folder) ? make_folder(&folder) : -ENOMEM;
	buf_printf(&folder, "/%s", day);
	if (r == 0)
		r = buf_cstr(&folder) ? make_folder(&folder) : -ENOMEM;
	for (int i = 0; r == 0 && i < REPORT_COUNT; i++) {
		enum param p = report_infos[i].parameter;

		if (p != PARAM_COUNT && what->is_on[p])
			r = write_report(data_dir, folder.p, (enum report_id)i, span, &what->profit,
					 stop, files, err);
	}
	return r;
}

int nightly_make(const char *data_dir, struct str day, const struct nightly *what, ms_t now,
		 const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(span_done) struct span span = { 0 };
	json_t *files = json_array();
	char name[11];
	int r = files ? span_read_day(&span, day, now, err) : -ENOMEM;

	if (r == 0)
		r = day_name(&span, name);
	if (r == 0)
		r = write_all(data_dir, name, &span, what, stop, files, err);
	if (r == 0)
		*ret = json_pack("{s:s s:O}", "day", name, "files", files);
	json_decref(files);
	return r == 0 && !*ret ? -ENOMEM : r;
}

ms_t nightly_due(const char *data_dir, ms_t now)
{
	CLEANUP(span_done) struct span span = { 0 };
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	char name[11];

	if (span_read_day(&span, STR(""), now, NULL) < 0 || day_name(&span, name) < 0)
		return now + HOUR_MS;
	buf_printf(&path, "%s/reports/%s", data_dir, name);
	ms_t due = span.to + HOUR_MS;
	if (now < due)
		return due;
	return buf_cstr(&path) && access(path.p, F_OK) < 0 ? now : due + DAY_MS;
}

/* ---- what is there ---- */

static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name.p[i]))
			return false;
	}
	return name.n > 0 && name.p[0] != '.';
}

static int visible(const struct dirent *e)
{
	return is_plain(str_of(e->d_name));
}

static int backwards(const struct dirent **a, const struct dirent **b)
{
	return alphasort(b, a);
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void list_day(const char *folder, const char *day, size_t limit, json_t *list)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **names = NULL;
	struct stat st;

	buf_printf(&path, "%s/%s", folder, day);
	int n = buf_cstr(&path) ? scandir(path.p, &names, visible, alphasort) : 0;
	for (int i = 0; i < n && json_array_size(list) < limit; i++) {
		buf_clear(&path);
		buf_printf(&path, "%s/%s/%s", folder, day, names[i]->d_name);
		if (!buf_cstr(&path) || stat(path.p, &st) < 0)
			continue;
		(void)json_array_append_new(list, json_pack("{s:s++ s:s s:s s:I}", "key", day, "/",
							    names[i]->d_name, "day", day, "name",
							    names[i]->d_name, "bytes",
							    (json_int_t)st.st_size));
	}
	free_names(names, n);
}

json_t *nightly_list(const char *data_dir, size_t limit)
{
	CLEANUP(buf_done) struct buf folder = BUF_INIT;
	struct dirent **days = NULL;
	json_t *list = json_array();

	buf_printf(&folder, "%s/reports", data_dir);
	int n = list && buf_cstr(&folder) ? scandir(folder.p, &days, visible, backwards) : 0;
	for (int i = 0; i < n && json_array_size(list) < limit; i++)
		list_day(folder.p, days[i]->d_name, limit, list);
	free_names(days, n);
	return list;
}

int nightly_read(const char *data_dir, struct str key, struct buf *out)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct str rest = key, day, name;

	if (!str_split(&rest, '/', &day) || !str_split(&rest, '/', &name) || rest.n ||
	    !is_plain(day) || !is_plain(name))
		return -ENOENT;
	buf_printf(&path, "%s/reports/%.*s/%.*s", data_dir, STR_ARG(day), STR_ARG(name));
	return buf_cstr(&path) ? file_read(path.p, FILE_MAX, out, NULL) : -ENOMEM;
}

/* Only what nightly_make leaves there: a folder that holds something else stays. */
static bool clear_day(const char *folder, const char *day)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **names = NULL;

	buf_printf(&path, "%s/%s", folder, day);
	int n = buf_cstr(&path) ? scandir(path.p, &names, visible, alphasort) : 0;
	for (int i = 0; i < n; i++) {
		buf_clear(&path);
		buf_printf(&path, "%s/%s/%s", folder, day, names[i]->d_name);
		if (buf_cstr(&path))
			(void)unlink(path.p);
	}
	free_names(names, n);
	buf_clear(&path);
	buf_printf(&path, "%s/%s", folder, day);
	return buf_cstr(&path) && rmdir(path.p) == 0;
}

int nightly_clear(const char *data_dir, const char *first_day, const atomic_bool *stop)
{
	CLEANUP(buf_done) struct buf folder = BUF_INIT;
	struct dirent **days = NULL;
	int removed = 0;

	buf_printf(&folder, "%s/reports", data_dir);
	if (!buf_cstr(&folder))
		return -ENOMEM;
	int n = scandir(folder.p, &days, visible, alphasort);
	for (int i = 0; i < n && !(stop && atomic_load(stop)); i++) {
		const char *day = days[i]->d_name;
		bool is_day = strlen(day) == 10 && strspn(day, "0123456789-") == 10;

		if (is_day && strcmp(day, first_day) < 0)
			removed += clear_day(folder.p, day);
	}
	free_names(days, n);
	return removed;
}
