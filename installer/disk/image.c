#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { PIECE = 1 << 20, HEAD_MAX = 18 /* of a zstd frame */ };

struct image {
	struct image_order order;
	ZSTD_DStream *zstd;
	EVP_MD_CTX *came, *wrote; /* all that came in; the pieces that were written */
	ZSTD_inBuffer in;
	uint64_t bytes;   /* of the disk */
	uint64_t zero_at; /* where a run of zeros begins that is not written yet */
	int out;
	int percent;               /* last told */
	bool is_end;               /* of what comes in */
	unsigned char *is_written; /* for each piece: it is not zeros */
	char packed[PIECE], piece[PIECE], first[PIECE];
};

static int hash_begin(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
	*ctx = EVP_MD_CTX_new();
	return *ctx && EVP_DigestInit_ex(*ctx, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static int hash_end(EVP_MD_CTX *ctx, unsigned char ret[EVP_MAX_MD_SIZE])
{
	return EVP_DigestFinal_ex(ctx, ret, NULL) == 1 ? 0 : -ENOMEM;
}

static void tell(struct image *i, const char *step, uint64_t done)
{
	int percent = (int)(done * 100 / i->bytes);

	if (percent == i->percent)
		return;
	i->percent = percent;
	i->order.on_progress(i->order.ctx, step, percent);
}

/* ---- what comes in ---- */

static int more(struct image *i, struct err *err)
{
	ssize_t n;

	do
		n = read(i->order.in, i->packed, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_STORE, "", STR(""), NULL, "the image cannot be read: %s",
			       strerror(errno));
	i->is_end = n == 0;
	i->in = (ZSTD_inBuffer){ i->packed, (size_t)n, 0 };
	return EVP_DigestUpdate(i->came, i->packed, (size_t)n) == 1 ? 0 : -ENOMEM;
}

static int cut_short(struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "", STR(""), "tandem.img.zst, whole",
		       "the image ends before it should");
}

/* The next size bytes of the disk. */
static int unpack(struct image *i, size_t size, struct err *err)
{
	ZSTD_outBuffer out = { i->piece, size, 0 };

	while (out.pos < size) {
		if (i->in.pos == i->in.size) {
			int r = more(i, err);
			if (r < 0)
				return r;
			if (i->is_end)
				return cut_short(err);
		}
		size_t left = ZSTD_decompressStream(i->zstd, &out, &i->in);
		if (ZSTD_isError(left))
			return err_set(err, ERR_BAD_VALUE, "", STR(""), "tandem.img.zst, whole",
				       "the image is damaged: %s", ZSTD_getErrorName(left));
		if (left == 0 && out.pos < size)
			return cut_short(err);
	}
	return 0;
}

/* All of it came, and it is what was promised. */
static int check_sum(struct image *i, struct err *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	int r = 0;

	while (r == 0 && !i->is_end)
		r = more(i, err);
	if (r == 0)
		r = hash_end(i->came, sum);
	if (r == 0 && memcmp(sum, i->order.sha256, IMAGE_SHA256) != 0)
		r = err_set(err, ERR_BAD_VALUE, "", STR(""),
			    "tandem.img.zst of the same release as this installer",
			    "the image is not the one that this installer belongs to: its SHA-256 "
			    "differs");
	return r;
}

/* ---- the disk ---- */

static bool is_zero(const char *p, size_t n)
{
	return p[0] == '\0' && memcmp(p, p + 1, n - 1) == 0;
}

/* The disk knows how to make zeros; the kernel writes them where it does not. A file is written. */
static int put_zeros(int fd, uint64_t at, uint64_t n)
{
	static const char zeros[PIECE];
	uint64_t range[2] = { at, n };

	if (n == 0 || ioctl(fd, BLKZEROOUT, range) == 0)
		return 0;
	for (uint64_t done = 0; done < n;) {
		size_t step = n - done < PIECE ? (size_t)(n - done) : PIECE;
		ssize_t now = pwrite(fd, zeros, step, (off_t)(at + done));
		if (now <= 0)
			return now < 0 ? -errno : -EIO;
		done += (size_t)now;
	}
	return 0;
}

static int put(int fd, const char *p, size_t n, uint64_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t now = pwrite(fd, p + done, n - done, (off_t)(at + done));
		if (now <= 0)
			return now < 0 ? -errno : -EIO;
		done += (size_t)now;
	}
	return 0;
}

static int put_piece(struct image *i, uint64_t at, size_t n)
{
	if (is_zero(i->piece, n))
		return 0;
	int r = put_zeros(i->out, i->zero_at, at - i->zero_at);
	if (r == 0)
		r = put(i->out, i->piece, n, at);
	if (r == 0 && EVP_DigestUpdate(i->wrote, i->piece, n) != 1)
		r = -ENOMEM;
	i->is_written[at / PIECE] = 1;
	i->zero_at = at + n;
	return r;
}

static size_t piece_at(const struct image *i, uint64_t at)
{
	return i->bytes - at < PIECE ? (size_t)(i->bytes - at) : PIECE;
}

static int failed(struct err *err, int r, const char *what)
{
	(void)err_set(err, ERR_STORE, "", STR(""), NULL, "the disk cannot be %s: %s", what,
		      strerror(-r));
	return r;
}

/* What was there before is no system any more from here on: neither table of partitions stays. */
static int clear_ends(struct image *i, uint64_t bytes)
{
	int r = put_zeros(i->out, 0, PIECE);

	if (r == 0)
		r = put_zeros(i->out, bytes - PIECE, PIECE);
	return r == 0 && fsync(i->out) < 0 ? -errno : r;
}

static int write_all(struct image *i, struct err *err)
{
	int r = unpack(i, PIECE, err);

	if (r == 0)
		memcpy(i->first, i->piece, PIECE);
	i->zero_at = PIECE;
	for (uint64_t at = PIECE; r == 0 && at < i->bytes;) {
		size_t n = piece_at(i, at);

		r = unpack(i, n, err);
		if (r < 0)
			return r;
		r = put_piece(i, at, n);
		if (r < 0)
			return failed(err, r, "written");
		at += n;
		tell(i, "writing", at);
	}
	if (r == 0)
		r = put_zeros(i->out, i->zero_at, i->bytes - i->zero_at);
	if (r == 0 && fsync(i->out) < 0)
		r = failed(err, -errno, "written");
	return r;
}

/* From the disk, not from the kernel's memory of what was written. */
static int read_back(struct image *i, struct err *err)
{
	unsigned char wrote[EVP_MAX_MD_SIZE], there[EVP_MAX_MD_SIZE];
	int r = hash_end(i->wrote, wrote);

	if (r == 0)
		r = hash_begin(&i->wrote);
	if (ioctl(i->out, BLKFLSBUF, 0) < 0)
		(void)posix_fadvise(i->out, 0, 0, POSIX_FADV_DONTNEED);
	for (uint64_t at = PIECE; r == 0 && at < i->bytes; at += PIECE) {
		size_t n = piece_at(i, at);

		tell(i, "reading back", at + n);
		if (!i->is_written[at / PIECE])
			continue;
		r = file_pread(i->out, at, i->piece, n);
		if (r < 0)
			return failed(err, r, "read");
		if (EVP_DigestUpdate(i->wrote, i->piece, n) != 1)
			r = -ENOMEM;
	}
	if (r == 0)
		r = hash_end(i->wrote, there);
	if (r == 0 && memcmp(wrote, there, IMAGE_SHA256) != 0)
		r = err_set(err, ERR_STORE, "", STR(""), "another disk",
			    "what was written does not read back as it was written: the disk is "
			    "broken");
	return r;
}

int image_write(struct image *i, int out, uint64_t bytes, struct err *err)
{
	i->out = out;
	i->percent = -1;
	if (bytes < i->bytes)
		return err_set(err, ERR_BAD_VALUE, "", STR(""), NULL, "the disk is too small");
	int r = clear_ends(i, bytes);
	if (r < 0)
		return failed(err, r, "written");
	r = write_all(i, err);
	if (r == 0)
		r = check_sum(i, err);
	if (r == 0)
		r = read_back(i, err);
	if (r < 0)
		return r;
	r = put(out, i->first, PIECE, 0);
	if (r == 0 && fsync(out) < 0)
		r = -errno;
	return r < 0 ? failed(err, r, "written") : 0;
}

/* ---- the whole ---- */

static int start(struct image *i, struct err *err)
{
	int r = more(i, err);

	if (r < 0)
		return r;
	/* A pipe may give a little at first. */
	while (i->in.size < HEAD_MAX && !i->is_end) {
		ssize_t n = read(i->order.in, i->packed + i->in.size, PIECE - i->in.size);
		if (n < 0)
			return -errno;
		i->is_end = n == 0;
		if (EVP_DigestUpdate(i->came, i->packed + i->in.size, (size_t)n) != 1)
			return -ENOMEM;
		i->in.size += (size_t)n;
	}
	i->is_end = false; /* read() says so again */
	i->bytes = ZSTD_getFrameContentSize(i->packed, i->in.size);
	if (i->bytes == ZSTD_CONTENTSIZE_ERROR || i->bytes == ZSTD_CONTENTSIZE_UNKNOWN ||
	    i->bytes < 2 * PIECE || i->bytes > (uint64_t)1 << 40)
		return err_set(err, ERR_BAD_VALUE, "", STR(""), "tandem.img.zst",
			       "the image is no packed disk");
	i->is_written = calloc(1, (size_t)(i->bytes / PIECE) + 1);
	return i->is_written ? 0 : -ENOMEM;
}

int image_open(struct image **ret, const struct image_order *o, struct err *err)
{
	struct image *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->order = *o;
	i->out = -1;
	i->zstd = ZSTD_createDStream();
	int r = i->zstd ? hash_begin(&i->came) : -ENOMEM;
	if (r == 0)
		r = hash_begin(&i->wrote);
	if (r == 0)
		r = start(i, err);
	if (r < 0) {
		(void)image_free(i);
		return r;
	}
	*ret = i;
	return 0;
}

uint64_t image_bytes(const struct image *i)
{
	return i->bytes;
}

struct image *image_free(struct image *i)
{
	if (!i)
		return NULL;
	(void)ZSTD_freeDStream(i->zstd);
	EVP_MD_CTX_free(i->came);
	EVP_MD_CTX_free(i->wrote);
	free(i->is_written);
	free(i);
	return NULL;
}
