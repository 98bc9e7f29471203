#include "install.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { PIECE = 1 << 20 };

struct install {
	struct install_order order;
	struct bundle bundle;
	int slot; /* that is written */
	int done_fd;
	pthread_t thread;
	_Atomic(const char *) step;
	_Atomic uint64_t bytes; /* of the step */
	int result;
	struct err err;
	char piece[PIECE];
};

/* ---- may it be installed? ---- */

static int check_age(const struct install_order *o, const struct bundle *b, struct err *err)
{
	if (o->may_be_older || b->built >= o->image.built)
		return 0;
	return err_set(err, ERR_CONFLICT, "file", str_of(b->version),
		       "a newer one, or older=true if going back is meant",
		       "the update (%s) is older than what runs (%s)", b->version,
		       o->image.version);
}

static int check_machine(const struct install_order *o, const struct bundle *b, struct err *err)
{
	if (strcmp(b->machine, o->machine) == 0)
		return 0;
	return err_set(err, ERR_CONFLICT, "machine", str_of(b->machine), o->machine,
		       "the update is for another kind of machine");
}

/* Else the slot that is written over might be the only one that works. */
static int check_health(const struct install_order *o, struct err *err)
{
	struct slots s;
	int r = places_load(o->places, &s, err);

	if (r < 0)
		return r;
	if (s.is_ok[o->places->running] && s.tries[o->places->running] == 0)
		return 0;
	return err_set(err, ERR_CONFLICT, "", STR(""), "wait until it has, see `update status`",
		       "the slot that runs has not reported health, so the other one is kept");
}

static int part_path(const struct install *i, enum bundle_part_id id, char path[PART_PATH_MAX],
		     struct err *err)
{
	return places_part(i->order.places, bundle_part_names[id], i->slot, path, err);
}

/* The device's or the file's; 0: not known. */
static uint64_t room(int fd)
{
	uint64_t n = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 0;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, &n) < 0 ? 0 : n;
	return (uint64_t)st.st_size;
}

static int check_room(const struct install *i, enum bundle_part_id id, struct err *err)
{
	char path[PART_PATH_MAX];
	int r = part_path(i, id, path, err);

	if (r < 0)
		return r;

	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (room(fd) >= i->bundle.part[id].size)
		return 0;
	return err_set(err, ERR_CONFLICT, "", str_of(path), NULL,
		       "the update is larger than the slot: %" PRIu64 " bytes of %" PRIu64,
		       i->bundle.part[id].size, room(fd));
}

static int check(const struct install *i, struct err *err)
{
	int r = check_machine(&i->order, &i->bundle, err);

	if (r == 0)
		r = check_age(&i->order, &i->bundle, err);
	if (r == 0)
		r = check_health(&i->order, err);
	for (int id = 0; r == 0 && id < BUNDLE_PARTS; id++)
		r = check_room(i, (enum bundle_part_id)id, err);
	return r;
}

/* ---- bytes ---- */

static int write_piece(struct install *i, int fd, uint64_t at, size_t n)
{
	size_t put = 0;

	while (put < n) {
		ssize_t now = pwrite(fd, i->piece + put, n - put, (off_t)(at + put));

		if (now < 0)
			return -errno;
		put += (size_t)now;
	}
	return 0;
}

static size_t next_piece(uint64_t left)
{
	return left < PIECE ? (size_t)left : PIECE;
}

/* The SHA-256 of size bytes of fd from `at` on is that one: 0, -EBADMSG if not. */
static int hash_is(struct install *i, int fd, uint64_t at, const struct bundle_part *part)
{
	unsigned char found[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	for (uint64_t left = part->size; r == 0 && left > 0;) {
		size_t n = next_piece(left);

		r = file_pread(fd, at + part->size - left, i->piece, n);
		if (r == 0 && EVP_DigestUpdate(ctx, i->piece, n) != 1)
			r = -ENOMEM;
		left -= n;
		atomic_fetch_add(&i->bytes, n);
	}
	if (r == 0 && EVP_DigestFinal_ex(ctx, found, NULL) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	if (r == 0 && memcmp(found, part->sha256, BUNDLE_SHA256) != 0)
		r = -EBADMSG;
	return r;
}

static void next_step(struct install *i, const char *step)
{
	atomic_store(&i->bytes, 0);
	atomic_store(&i->step, step);
}

/* ---- the steps ---- */

static int check_content(struct install *i, struct err *err)
{
	int r = 0;

	next_step(i, "checking");
	for (int id = 0; r == 0 && id < BUNDLE_PARTS; id++) {
		const struct bundle_part *part = &i->bundle.part[id];

		r = hash_is(i, i->order.fd, part->at, part);
		if (r == -EBADMSG)
			r = err_set(err, ERR_BAD_VALUE, "file", str_of(bundle_part_names[id]),
				    "the file tandem-VERSION.update, whole, as it was released",
				    "the content of the update is damaged: %s is not what was "
				    "signed",
				    bundle_part_names[id]);
	}
	return r;
}

/* Takes the slot from the boot loader, or gives it to it as the first to try. */
static int offer(struct install *i, bool is_offered, struct err *err)
{
	const struct places *p = i->order.places;
	struct slot_note note[SLOTS_COUNT];
	struct slots s;
	int r = places_load(p, &s, err);

	if (r == 0)
		r = slot_notes_read(p->notes, note);
	if (r < 0)
		return r;
	note[i->slot] = (struct slot_note){ 0 };
	if (is_offered) {
		note[i->slot] = (struct slot_note){ .built = i->bundle.built,
						    .installed = clock_wall_ms(),
						    .is_trial = true };
		(void)str_copy(note[i->slot].version, SLOT_VERSION, str_of(i->bundle.version));
		s.order[0] = (char)('A' + i->slot);
		s.order[1] = (char)('A' + p->running);
	}
	note[p->running] =
		note[p->running].built == i->order.image.built ? note[p->running] : i->order.image;
	s.is_ok[i->slot] = is_offered;
	s.tries[i->slot] = 0;
	/* A slot that may boot has its note already; one that may not needs none. */
	r = is_offered ? slot_notes_write(p->notes, note, err) : places_store(p, &s, err);
	if (r == 0)
		r = is_offered ? places_store(p, &s, err) : slot_notes_write(p->notes, note, err);
	return r;
}

static int copy(struct install *i, const struct bundle_part *part, int fd)
{
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < part->size;) {
		size_t n = next_piece(part->size - at);

		r = file_pread(i->order.fd, part->at + at, i->piece, n);
		if (r == 0)
			r = write_piece(i, fd, at, n);
		at += n;
		atomic_fetch_add(&i->bytes, n);
	}
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* From the disk, not from the kernel's memory of what was written. */
static int read_back(struct install *i, const struct bundle_part *part, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode))
		(void)ioctl(fd, BLKFLSBUF, 0);
	else
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return hash_is(i, fd, 0, part);
}

static int each_part(struct install *i,
		     int (*step)(struct install *, const struct bundle_part *, int),
		     struct err *err)
{
	int r = 0;

	for (int id = 0; r == 0 && id < BUNDLE_PARTS; id++) {
		char path[PART_PATH_MAX];

		r = part_path(i, (enum bundle_part_id)id, path, err);
		if (r < 0)
			return r;
		CLEANUP(close) int fd = open(path, O_RDWR | O_CLOEXEC);
		r = fd < 0 ? -errno : step(i, &i->bundle.part[id], fd);
		if (r < 0)
			(void)err_set(err, ERR_STORE, "", str_of(path), NULL,
				      r == -EBADMSG
					      ? "what was written to %s does not read back as "
						"it was written"
					      : "%s cannot be written",
				      bundle_part_names[id]);
	}
	return r;
}

static int do_all(struct install *i, struct err *err)
{
	int r = check_content(i, err);

	if (r == 0)
		r = offer(i, false, err);
	next_step(i, "writing");
	if (r == 0)
		r = each_part(i, copy, err);
	next_step(i, "reading back");
	if (r == 0)
		r = each_part(i, read_back, err);
	return r == 0 ? offer(i, true, err) : r;
}

/* ---- the thread ---- */

static void *run(void *arg)
{
	struct install *i = arg;
	uint64_t one = 1;

	i->result = do_all(i, &i->err);
	(void)!write(i->done_fd, &one, sizeof(one));
	return NULL;
}

static void install_free(struct install *i)
{
	if (i->order.fd >= 0)
		(void)close(i->order.fd);
	if (i->done_fd >= 0)
		(void)close(i->done_fd);
	free(i);
}

int install_start(struct install **ret, const struct install_order *o, struct err *err)
{
	struct install *i = calloc(1, sizeof(*i));

	if (!i) {
		(void)close(o->fd);
		return -ENOMEM;
	}
	i->order = *o;
	i->slot = 1 - o->places->running;
	i->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_init(&i->step, "checking");
	int r = i->done_fd < 0 ? -errno : bundle_open(&i->bundle, o->fd, &o->keys, err);
	if (r == 0)
		r = check(i, err);
	if (r == 0)
		r = -pthread_create(&i->thread, NULL, run, i);
	if (r < 0) {
		install_free(i);
		return r;
	}
	*ret = i;
	return 0;
}

int install_fd(const struct install *i)
{
	return i->done_fd;
}

void install_progress(const struct install *i, struct install_progress *ret)
{
	uint64_t all = 0;

	for (int id = 0; id < BUNDLE_PARTS; id++)
		all += i->bundle.part[id].size;
	ret->step = atomic_load(&i->step);
	ret->percent = (int)(atomic_load(&i->bytes) * 100 / all);
}

const struct bundle *install_bundle(const struct install *i)
{
	return &i->bundle;
}

int install_finish(struct install *i, struct err *err)
{
	(void)pthread_join(i->thread, NULL);
	int r = i->result;

	if (r < 0) {
		*err = i->err;
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "the update failed: %s",
			      strerror(-r));
	}
	install_free(i);
	return r;
}
