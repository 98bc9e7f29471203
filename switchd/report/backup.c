#include "report/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/buf.h"
#include "base/file.h"
#include "model/json.h"
#include "store/db.h"
#include "store/month.h"

enum { PIECE = 1 << 16, NAME = 23, LICENCE_MAX = 1 << 20 };

/* ---- names ---- */

/* 20261126T121500Z.tar.gz */
bool backup_is_name(struct str name)
{
	static const char form[] = "########T######Z.tar.gz";

	if (name.n != NAME)
		return false;
	for (size_t i = 0; i < NAME; i++) {
		bool is_digit = name.p[i] >= '0' && name.p[i] <= '9';

		if (form[i] == '#' ? !is_digit : name.p[i] != form[i])
			return false;
	}
	return true;
}

static void put_name(struct buf *b, ms_t at)
{
	char text[CLOCK_TEXT];

	(void)clock_text(at, text);
	for (const char *p = text; *p && *p != '.'; p++) {
		if (*p != '-' && *p != ':')
			buf_putc(b, *p);
	}
	buf_putz(b, "Z.tar.gz");
}

static ms_t time_of(struct str name)
{
	char text[32];
	struct buf b = buf_fixed(text, sizeof(text));
	const char *p = name.p;
	ms_t at = 0;

	buf_printf(&b, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p, p + 4, p + 6, p + 9, p + 11, p + 13);
	(void)clock_parse(buf_str(&b), &at);
	return at;
}

static int visible(const struct dirent *e)
{
	return backup_is_name(str_of(e->d_name));
}

static int backwards(const struct dirent **a, const struct dirent **b)
{
	return alphasort(b, a);
}

/* Newest first; how many. */
static int scan(const char *data_dir, struct buf *folder, struct dirent ***ret)
{
	buf_printf(folder, "%s/backup", data_dir);
	int n = buf_cstr(folder) ? scandir(folder->p, ret, visible, backwards) : 0;

	return n < 0 || !*ret ? 0 : n;
}

static void names_free(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

json_t *backup_list(const char *data_dir)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **names = NULL;
	json_t *list = json_array();
	char at[CLOCK_TEXT];
	int n = scan(data_dir, &path, &names);
	size_t base = path.n;

	for (int i = 0; list && i < n; i++) {
		struct stat st;

		path.n = base;
		buf_printf(&path, "/%s", names[i]->d_name);
		if (buf_cstr(&path) && stat(path.p, &st) == 0)
			(void)json_array_append_new(
				list, json_pack("{s:s s:s s:I}", "name", names[i]->d_name, "at",
						clock_text(time_of(str_of(names[i]->d_name)), at),
						"bytes", (json_int_t)st.st_size));
	}
	names_free(names, n);
	return list;
}

ms_t backup_newest(const char *data_dir)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **names = NULL;
	int n = scan(data_dir, &path, &names);
	ms_t at = n > 0 ? time_of(str_of(names[0]->d_name)) : 0;

	names_free(names, n);
	return at;
}

int backup_prune(const char *data_dir, int keep)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **names = NULL;
	int n = scan(data_dir, &path, &names), removed = 0;
	size_t base = path.n;

	for (int i = keep > 0 ? keep : 0; i < n; i++) {
		path.n = base;
		buf_printf(&path, "/%s", names[i]->d_name);
		if (buf_cstr(&path) && unlink(path.p) == 0)
			removed++;
	}
	names_free(names, n);
	return removed;
}

/* ---- the moment ---- */

/* A database of the switch, as it is at the moment. */
struct source {
	struct db *db;
	char name[32];
};

struct making {
	const char *data_dir;
	const atomic_bool *stop;
	struct source *source;
	size_t sources;
	struct archive *archive;
	struct buf part, temp; /* paths */
	json_t *files;
};

static int open_source(struct making *m, const char *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct source *more = reallocarray(m->source, m->sources + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	m->source = more;
	struct source *s = &more[m->sources];
	*s = (struct source){ 0 };
	(void)str_copy(s->name, sizeof(s->name), str_of(name));
	buf_printf(&path, "%s/%s", m->data_dir, name);
	int r = buf_cstr(&path) ? db_open(&s->db, path.p, DB_READ, 2000) : -ENOMEM;
	if (r == 0)
		r = db_snapshot(s->db);
	if (s->db)
		m->sources++;
	return r;
}

static int open_months(struct making *m)
{
	CLEANUP(free) struct month *months = NULL;
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	size_t n = 0;

	buf_printf(&dir, "%s/cdr", m->data_dir);
	int r = buf_cstr(&dir) ? month_list(dir.p, &months, &n) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "cdr/%04d-%02d.db", months[i].year,
			       months[i].month);
		r = open_source(m, name);
		if (r == -ENOENT) /* its time was over, just now */
			r = 0;
	}
	return r;
}

static int open_all(struct making *m, const struct backup_hold *hold)
{
	hold->hold(hold->ctx);
	int r = open_source(m, "switch.db");
	if (r == 0)
		r = open_source(m, "ledger.db");
	if (r == 0)
		r = open_months(m);
	hold->release(hold->ctx);
	return r;
}

/* ---- the file ---- */

static int note_file(struct making *m, const char *name, int64_t bytes, const char *hash)
{
	return json_array_append_new(m->files, json_pack("{s:s s:I s:s}", "name", name, "bytes",
							 (json_int_t)bytes, "sha256", hash)) < 0
		       ? -ENOMEM
		       : 0;
}

static int put_text(struct making *m, const char *name, struct str content)
{
	char hash[ARCHIVE_HASH];
	int r = archive_begin(m->archive, name, (int64_t)content.n);

	if (r == 0)
		r = archive_put(m->archive, content);
	if (r == 0)
		r = archive_end_file(m->archive, hash);
	return r < 0 ? r : note_file(m, name, (int64_t)content.n, hash);
}

static int put_copy(struct making *m, const char *name)
{
	CLEANUP(close) int fd = open(m->temp.p, O_RDONLY | O_CLOEXEC);
	char piece[PIECE], hash[ARCHIVE_HASH];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	int r = archive_begin(m->archive, name, st.st_size);
	while (r == 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return -errno;
		r = atomic_load(m->stop) ? -ECANCELED
					 : archive_put(m->archive, str_n(piece, (size_t)n));
	}
	if (r == 0)
		r = archive_end_file(m->archive, hash);
	return r < 0 ? r : note_file(m, name, st.st_size, hash);
}

/* One after the other, so that beside the archive there is room needed for one of them. */
static int put_source(struct making *m, struct source *s)
{
	(void)unlink(m->temp.p);
	int r = db_copy(s->db, m->temp.p, m->stop);

	s->db = db_close(s->db);
	if (r == 0)
		r = put_copy(m, s->name);
	(void)unlink(m->temp.p);
	return r;
}

static int put_licence(struct making *m)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, content = BUF_INIT;

	buf_printf(&path, "%s/licence.json", m->data_dir);
	if (!buf_cstr(&path))
		return -ENOMEM;
	if (access(path.p, F_OK) < 0)
		return 0;
	int r = file_read(path.p, LICENCE_MAX, &content, NULL);
	return r < 0 ? r : put_text(m, "licence.json", buf_str(&content));
}

static int put_manifest(struct making *m, ms_t now)
{
	char at[CLOCK_TEXT];
	json_t *doc = json_pack("{s:s s:i s:s s:O}", "program", "tandem " TANDEM_VERSION, "format",
				1, "at", clock_text(now, at), "files", m->files);
	CLEANUP(free) char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;

	json_decref(doc);
	return text ? put_text(m, "MANIFEST.json", str_of(text)) : -ENOMEM;
}

static int write_archive(struct making *m, ms_t now)
{
	int fd = open(m->part.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : archive_create(&m->archive, fd);

	for (size_t i = 0; r == 0 && i < m->sources; i++)
		r = put_source(m, &m->source[i]);
	if (r == 0)
		r = put_licence(m);
	if (r == 0)
		r = put_manifest(m, now);
	return r < 0 ? r : archive_end(m->archive);
}

static int make_all(struct making *m, ms_t now, const struct backup_hold *hold, json_t **ret)
{
	CLEANUP(buf_done) struct buf folder = BUF_INIT, path = BUF_INIT, name = BUF_INIT;
	struct stat st = { 0 };

	put_name(&name, now);
	buf_printf(&folder, "%s/backup", m->data_dir);
	if (!buf_cstr(&name) || !buf_cstr(&folder))
		return -ENOMEM;
	if (mkdir(folder.p, 0700) < 0 && errno != EEXIST)
		return -errno;
	buf_printf(&path, "%s/%s", folder.p, name.p);
	buf_printf(&m->part, "%s/making.part", folder.p);
	buf_printf(&m->temp, "%s/copy.part", folder.p);
	if (!buf_cstr(&path) || !buf_cstr(&m->part) || !buf_cstr(&m->temp))
		return -ENOMEM;
	int r = open_all(m, hold);
	if (r == 0)
		r = write_archive(m, now);
	if (r == 0 && (rename(m->part.p, path.p) < 0 || stat(path.p, &st) < 0))
		r = -errno;
	if (r == 0)
		r = file_sync_folder(folder.p);
	if (r == 0)
		*ret = json_pack("{s:s s:I s:O}", "name", name.p, "bytes", (json_int_t)st.st_size,
				 "files", m->files);
	(void)unlink(m->part.p);
	(void)unlink(m->temp.p);
	return r == 0 && !*ret ? -ENOMEM : r;
}

int backup_make(const char *data_dir, ms_t now, const struct backup_hold *hold,
		const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct making m = { .data_dir = data_dir, .stop = stop, .files = json_array() };
	int r = m.files ? make_all(&m, now, hold, ret) : -ENOMEM;

	m.archive = archive_free(m.archive);
	for (size_t i = 0; i < m.sources; i++)
		db_close(m.source[i].db);
	free(m.source);
	buf_done(&m.part);
	buf_done(&m.temp);
	json_decref(m.files);
	if (r < 0 && r != -ENOMEM)
		return err_set(err, ERR_STORE, "", STR(""),
			       r == -ENOSPC
				       ? "room on the disk for one more copy of the largest file"
				       : "try again",
			       "no backup was made: %s", strerror(-r));
	return r;
}
