#include "report/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "ledger/verify.h"
#include "model/entity.h"
#include "model/json.h"
#include "report/backup.h"
#include "store/db.h"
#include "store/migrate.h"

enum { PIECE = 1 << 16, MANIFEST_MAX = 1 << 20, FILES_MAX = 1000 };

#define MANIFEST "MANIFEST.json"

/* ---- folders ---- */

static int path_of(struct buf *out, const char *folder, const char *name)
{
	buf_clear(out);
	buf_printf(out, "%s/%s", folder, name);
	return buf_cstr(out) ? 0 : -ENOMEM;
}

static void empty_folder(const char *path)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		if (path_of(&name, path, e->d_name) == 0)
			(void)unlink(name.p);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(path);
}

/* Ours have one folder inside, of months. */
static void remove_tree(const char *path)
{
	CLEANUP(buf_done) struct buf months = BUF_INIT;

	if (path_of(&months, path, "cdr") == 0)
		empty_folder(months.p);
	empty_folder(path);
}

static int make_tree(const char *path)
{
	CLEANUP(buf_done) struct buf months = BUF_INIT;

	remove_tree(path);
	if (mkdir(path, 0700) < 0)
		return -errno;
	int r = path_of(&months, path, "cdr");
	return r < 0 ? r : mkdir(months.p, 0750) < 0 ? -errno : 0;
}

/* ---- unpacking ---- */

/* What a backup may hold, and nothing else: switch.db, ledger.db, licence.json, cdr/2026-11.db. */
static bool is_ours(const char *name)
{
	static const char form[] = "cdr/####-##.db";
	size_t n = strlen(name);

	if (strcmp(name, "switch.db") == 0 || strcmp(name, "ledger.db") == 0 ||
	    strcmp(name, "licence.json") == 0)
		return true;
	if (n != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_digit = name[i] >= '0' && name[i] <= '9';

		if (form[i] == '#' ? !is_digit : name[i] != form[i])
			return false;
	}
	return true;
}

struct unpacking {
	struct unarchive *u;
	const char *folder;
	const atomic_bool *stop;
	json_t *found; /* name → hash */
	json_t *manifest;
};

static int copy_out(struct unpacking *p, int fd)
{
	char piece[PIECE];
	int n;

	while ((n = unarchive_read(p->u, piece, sizeof(piece))) > 0) {
		if (p->stop && atomic_load(p->stop))
			return -ECANCELED;
		int r = file_put(fd, str_n(piece, (size_t)n));
		if (r < 0)
			return r;
	}
	return n < 0 ? n : fsync(fd) < 0 ? -errno : 0;
}

static int unpack_file(struct unpacking *p, const char *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	char hash[ARCHIVE_HASH];
	int r = is_ours(name) && !json_object_get(p->found, name) ? path_of(&path, p->folder, name)
								  : -EBADMSG;

	if (r < 0)
		return r;
	CLEANUP(close) int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : copy_out(p, fd);
	if (r < 0)
		return r;
	unarchive_hash(p->u, hash);
	return json_object_set_new(p->found, name, json_string(hash)) < 0 ? -ENOMEM : 0;
}

static int read_manifest(struct unpacking *p, int64_t bytes)
{
	CLEANUP(free) char *text = bytes <= MANIFEST_MAX ? malloc((size_t)bytes + 1) : NULL;
	int64_t done = 0;
	int n = 0;

	if (!text || p->manifest)
		return -EBADMSG;
	while (done < bytes && (n = unarchive_read(p->u, text + done, (int)(bytes - done))) > 0)
		done += n;
	p->manifest = n < 0 ? NULL : json_loadb(text, (size_t)done, JSON_REJECT_DUPLICATES, NULL);
	return p->manifest ? 0 : -EBADMSG;
}

/* Each file that the manifest names is there with that content, and no other. */
static int compare_manifest(const struct unpacking *p)
{
	const json_t *files = json_object_get(p->manifest, "files"), *f;
	size_t i, n = json_array_size(files);

	if (n == 0 || n != json_object_size(p->found))
		return -EBADMSG;
	json_array_foreach(files, i, f)
	{
		const char *name = json_string_value(json_object_get(f, "name"));
		const json_t *hash = json_object_get(f, "sha256");

		if (!name || !json_equal(json_object_get(p->found, name), hash))
			return -EBADMSG;
	}
	return json_object_get(p->found, "switch.db") && json_object_get(p->found, "ledger.db")
		       ? 0
		       : -EBADMSG;
}

static int unpack_all(struct unpacking *p)
{
	char name[ARCHIVE_NAME];
	int64_t bytes;
	int files = 0, r;

	while ((r = unarchive_next(p->u, name, &bytes)) == 1) {
		if (++files > FILES_MAX)
			return -EBADMSG;
		r = strcmp(name, MANIFEST) == 0 ? read_manifest(p, bytes) : unpack_file(p, name);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : p->manifest ? compare_manifest(p) : -EBADMSG;
}

static int unpack(const char *path, const char *folder, const atomic_bool *stop, json_t **ret_names)
{
	struct unpacking p = { .folder = folder, .stop = stop, .found = json_object() };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : unarchive_create(&p.u, fd);

	if (r == 0)
		r = p.found ? make_tree(folder) : -ENOMEM;
	if (r == 0)
		r = unpack_all(&p);
	p.u = unarchive_free(p.u);
	json_decref(p.manifest);
	if (r == 0)
		*ret_names = p.found;
	else
		json_decref(p.found);
	return r;
}

/* ---- proving ---- */

static int check_pages(const char *folder, const json_t *names, struct err *err)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)names, name, v)
	{
		CLEANUP(db_close) struct db *d = NULL;
		CLEANUP(buf_done) struct buf path = BUF_INIT;

		if (!str_has_suffix(str_of(name), STR(".db")))
			continue;
		int r = path_of(&path, folder, name);
		if (r == 0)
			r = db_open(&d, path.p, DB_READ, 1000);
		if (r == 0)
			r = db_integrity(d);
		if (r < 0)
			return err_set(err, ERR_STORE, "", str_of(name), "another backup",
				       "%s in it is damaged: %s", name, strerror(-r));
	}
	return 0;
}

/* A backup that an older program made is proved as it will be when it is put back: with the tables of this one. */
static int bring_forward(const char *folder, struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = path_of(&path, folder, "ledger.db");

	if (r == 0)
		r = db_open(&d, path.p, DB_WRITE, 1000);
	return r < 0 ? r : migrate_ledger(d, err);
}

static int check_books(const char *folder, const atomic_bool *stop, json_t **ret, struct err *err)
{
	json_t *books = NULL, *charges = NULL;
	int r = ledger_verify(folder, stop, &books, err);

	if (r == 0)
		r = cdr_verify(folder, FIELD_ABSENT, FIELD_ABSENT, stop, &charges, err);
	if (r == 0) {
		json_t *all = json_object_get(books, "differences");

		(void)json_array_extend(all, json_object_get(charges, "differences"));
		*ret = json_pack("{s:O s:O s:O}", "accounts", json_object_get(books, "accounts"),
				 "records", json_object_get(books, "records"), "differences", all);
		r = *ret ? 0 : -ENOMEM;
	}
	json_decref(books);
	json_decref(charges);
	return r;
}

static int not_whole(const char *path, int r, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct str name = str_of(slash ? slash + 1 : path);

	if (r == -EBADMSG)
		return err_set(err, ERR_BAD_VALUE, "name", name, "a backup that is whole",
			       "the file is cut, changed, or no backup");
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "name", name, "a name that `backup list` shows",
			       "there is no such backup");
	return err_set(err, ERR_STORE, "name", name, "room on the disk for what is in it",
		       "it cannot be unpacked: %s", strerror(-r));
}

/* Unpacked and proved in `folder`, which the caller removes. */
static int prove(const char *path, const char *folder, const atomic_bool *stop, json_t **ret,
		 struct err *err)
{
	json_t *names = NULL;
	int r = unpack(path, folder, stop, &names);

	if (r < 0)
		return not_whole(path, r, err);
	r = check_pages(folder, names, err);
	if (r == 0)
		r = bring_forward(folder, err);
	if (r == 0)
		r = check_books(folder, stop, ret, err);
	if (r == 0)
		(void)json_object_set_new(*ret, "files",
					  json_integer((json_int_t)json_object_size(names)));
	json_decref(names);
	return r;
}

int restore_verify(const char *data_dir, const char *path, const atomic_bool *stop, json_t **ret,
		   struct err *err)
{
	CLEANUP(buf_done) struct buf folder = BUF_INIT;
	int r = path_of(&folder, data_dir, "backup/verify");

	if (r < 0)
		return r;
	r = prove(path, folder.p, stop, ret, err);
	remove_tree(folder.p);
	return r;
}

/* ---- changing places ---- */

static int move_if_there(const char *from, const char *to, const char *name)
{
	CLEANUP(buf_done) struct buf a = BUF_INIT, b = BUF_INIT;
	int r = path_of(&a, from, name);

	if (r == 0)
		r = path_of(&b, to, name);
	if (r < 0)
		return r;
	return rename(a.p, b.p) < 0 && errno != ENOENT ? -errno : 0;
}

/* What was there goes with its journal before the new one comes: a journal beside another database would be played into it. */
static int swap(const char *data_dir, const char *fresh, const char *before, const char *name)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = path_of(&path, fresh, name);

	if (r < 0)
		return r;
	if (access(path.p, F_OK) < 0)
		return 0; /* done before the power was cut */
	for (int i = 0; r == 0 && i < 3; i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "%s%s", name, suffixes[i]);
		r = move_if_there(data_dir, before, file);
	}
	return r < 0 ? r : move_if_there(fresh, data_dir, name);
}

/* The folder of months goes as a whole: none of the old may stay beside the new. */
static int swap_all(const char *data_dir, const char *fresh, const char *before)
{
	static const char *const names[] = { "switch.db", "ledger.db", "licence.json", "cdr" };
	int r = mkdir(before, 0700) < 0 && errno != EEXIST ? -errno : 0;

	for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		r = swap(data_dir, fresh, before, names[i]);
	return r < 0 ? r : file_sync_folder(data_dir);
}

/* What a restore works on, below the data. */
struct spots {
	struct buf fresh;  /* the backup, unpacked and proved */
	struct buf before; /* what was there */
	struct buf
		mark; /* there: fresh is whole, and what is in place may be anything between the two */
};

static void spots_done_cleanup(struct spots *s)
{
	buf_done(&s->fresh);
	buf_done(&s->before);
	buf_done(&s->mark);
}

/* 0 or negative errno. */
static int spots_of(const char *data_dir, struct spots *ret)
{
	int r = path_of(&ret->fresh, data_dir, "restore");

	if (r == 0)
		r = path_of(&ret->before, data_dir, "before-restore");
	return r == 0 ? path_of(&ret->mark, data_dir, "restore.ready") : r;
}

static int finish(const char *data_dir, struct err *err)
{
	CLEANUP(spots_done) struct spots at = { BUF_INIT, BUF_INIT, BUF_INIT };
	int r = spots_of(data_dir, &at);

	if (r == 0)
		r = swap_all(data_dir, at.fresh.p, at.before.p);
	if (r < 0)
		return err_set(err, ERR_STORE, "data", str_of(data_dir), "start switchd again",
			       "the backup cannot be put in place: %s", strerror(-r));
	(void)unlink(at.mark.p);
	remove_tree(at.fresh.p);
	return file_sync_folder(data_dir);
}

int restore_from(const char *data_dir, const char *path, struct err *err)
{
	CLEANUP(spots_done) struct spots at = { BUF_INIT, BUF_INIT, BUF_INIT };
	CLEANUP(json_decref) json_t *proof = NULL;
	int r = spots_of(data_dir, &at);

	if (r == 0)
		r = prove(path, at.fresh.p, NULL, &proof, err);
	if (r == 0 && json_array_size(json_object_get(proof, "differences")) > 0)
		r = err_set(err, ERR_CONFLICT, "name", str_of(path), "`backup verify` names each",
			    "the books in that backup have differences");
	if (r < 0) {
		if (at.fresh.n)
			remove_tree(at.fresh.p);
		return r;
	}
	remove_tree(at.before.p);
	r = file_write(at.mark.p, str_of(path), 0600, true, err);
	return r < 0 ? r : finish(data_dir, err);
}

/* ---- at the next start ---- */

int restore_order(const char *data_dir, struct str name, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = path_of(&path, data_dir, "restore.order");

	return r < 0 ? r : file_write(path.p, name, 0600, true, err);
}

static int do_ordered(const char *data_dir, const char *order, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT, path = BUF_INIT;
	int r = file_read(order, 64, &name, err);

	(void)unlink(order); /* one that cannot be done is not tried at each start */
	if (r < 0)
		return r;
	if (!backup_is_name(buf_str(&name)))
		return err_set(err, ERR_BAD_VALUE, "name", buf_str(&name), "the name of a backup",
			       "what was ordered is no backup");
	buf_printf(&path, "%s/backup/%.*s", data_dir, STR_ARG(buf_str(&name)));
	return buf_cstr(&path) ? restore_from(data_dir, path.p, err) : -ENOMEM;
}

int restore_resume(const char *data_dir, struct err *err)
{
	CLEANUP(buf_done) struct buf mark = BUF_INIT, order = BUF_INIT;
	int r = path_of(&mark, data_dir, "restore.ready");

	if (r == 0)
		r = path_of(&order, data_dir, "restore.order");
	if (r < 0)
		return r;
	bool has_begun = access(mark.p, F_OK) == 0;
	if (!has_begun && access(order.p, F_OK) != 0)
		return 0;
	r = has_begun ? finish(data_dir, err) : do_ordered(data_dir, order.p, err);
	if (r < 0 && access(mark.p, F_OK) != 0) {
		/* It was refused before anything changed its place. */
		log_at(LOG_ERR, NULL, "the backup that was ordered is not put in place: %s",
		       err->message);
		*err = ERR_INIT;
		return 0;
	}
	if (r == 0)
		log_at(LOG_NOTICE, NULL,
		       "a backup was put in place; what was there is in before-restore");
	return r < 0 ? r : 1;
}
