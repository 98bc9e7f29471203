#include "base/archive.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"

enum { BLOCK = 512, PIECE = 1 << 16, SYNC_BYTES = 16 << 20 };

/* A header of ustar; all of it is text, octal numbers end with a NUL. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], rest[247];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* ---- both ---- */

static int hash_begin(EVP_MD_CTX *c)
{
	return EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static void hash_end(EVP_MD_CTX *c, char out[ARCHIVE_HASH])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct buf hex = buf_fixed(out, ARCHIVE_HASH);

	(void)EVP_DigestFinal_ex(c, digest, &n);
	buf_put_hex(&hex, digest, n);
	(void)buf_cstr(&hex);
}

/* As if the sum's own field were blank. */
static unsigned sum_of(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 8 * ' ';

	for (size_t i = 0; i < BLOCK; i++) {
		if (i < offsetof(struct header, sum) || i >= offsetof(struct header, type))
			sum += p[i];
	}
	return sum;
}

static int64_t padding(int64_t bytes)
{
	return (BLOCK - bytes % BLOCK) % BLOCK;
}

/* ---- writing ---- */

struct archive {
	gzFile gz;
	int fd; /* a second one of the same file, for syncing */
	EVP_MD_CTX *hash;
	int64_t bytes, left; /* of the file under way */
	int64_t unsynced;
};

static int gz_error(gzFile gz)
{
	int code = Z_OK;

	(void)gzerror(gz, &code);
	if (code == Z_ERRNO)
		return errno ? -errno : -EIO;
	return code == Z_MEM_ERROR ? -ENOMEM : code == Z_OK ? 0 : -EIO;
}

int archive_create(struct archive **ret, int fd)
{
	CLEANUP(archive_free) struct archive *a = calloc(1, sizeof(*a));

	if (a)
		a->fd = dup(fd);
	if (a && a->fd >= 0)
		a->gz = gzdopen(fd, "wb1");
	if (!a || !a->gz) {
		(void)close(fd);
		return -ENOMEM;
	}
	a->hash = EVP_MD_CTX_new();
	if (!a->hash)
		return -ENOMEM;
	(void)gzbuffer(a->gz, PIECE);
	*ret = TAKE(a);
	return 0;
}

struct archive *archive_free(struct archive *a)
{
	if (!a)
		return NULL;
	if (a->gz)
		(void)gzclose(a->gz);
	if (a->fd >= 0)
		(void)close(a->fd);
	EVP_MD_CTX_free(a->hash);
	free(a);
	return NULL;
}

static int put(struct archive *a, const void *p, size_t n)
{
	errno = 0;
	while (n > 0) {
		unsigned piece = n > PIECE ? PIECE : (unsigned)n;

		if (gzwrite(a->gz, p, piece) != (int)piece)
			return gz_error(a->gz) < 0 ? gz_error(a->gz) : -EIO;
		p = (const char *)p + piece;
		n -= piece;
		a->unsynced += piece;
	}
	/* Little by little, so that the ledger's syncs never stand behind a gigabyte of ours. */
	if (a->unsynced >= SYNC_BYTES) {
		a->unsynced = 0;
		(void)fdatasync(a->fd);
	}
	return 0;
}

/* Eleven octal digits; what needs more is binary, marked by the top bit. */
static void put_size(char out[12], int64_t bytes)
{
	if (bytes < (int64_t)1 << 33) {
		(void)snprintf(out, 12, "%011llo", (unsigned long long)bytes);
		return;
	}
	out[0] = (char)0x80;
	for (int i = 11; i > 3; i--, bytes >>= 8)
		out[i] = (char)(bytes & 0xff);
}

int archive_begin(struct archive *a, const char *name, int64_t bytes)
{
	struct header h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };

	if (strlen(name) >= ARCHIVE_NAME || bytes < 0)
		return -EINVAL;
	(void)snprintf(h.name, sizeof(h.name), "%s", name);
	(void)snprintf(h.mode, sizeof(h.mode), "0000600");
	(void)snprintf(h.uid, sizeof(h.uid), "0000000");
	(void)snprintf(h.gid, sizeof(h.gid), "0000000");
	(void)snprintf(h.mtime, sizeof(h.mtime), "00000000000");
	put_size(h.size, bytes);
	(void)snprintf(h.sum, sizeof(h.sum), "%06o", sum_of(&h));
	h.sum[7] = ' ';
	a->bytes = a->left = bytes;
	int r = hash_begin(a->hash);
	return r < 0 ? r : put(a, &h, sizeof(h));
}

int archive_put(struct archive *a, struct str piece)
{
	if ((int64_t)piece.n > a->left)
		return -EINVAL;
	a->left -= (int64_t)piece.n;
	if (EVP_DigestUpdate(a->hash, piece.p, piece.n) != 1)
		return -ENOMEM;
	return put(a, piece.p, piece.n);
}

int archive_end_file(struct archive *a, char ret_hash[ARCHIVE_HASH])
{
	static const char zeros[BLOCK];
	char hash[ARCHIVE_HASH];

	if (a->left != 0)
		return -EINVAL;
	hash_end(a->hash, hash);
	if (ret_hash)
		memcpy(ret_hash, hash, sizeof(hash));
	return put(a, zeros, (size_t)padding(a->bytes));
}

int archive_end(struct archive *a)
{
	static const char zeros[2 * BLOCK];
	int r = put(a, zeros, sizeof(zeros));

	if (r < 0)
		return r;
	errno = 0;
	int code = gzclose(a->gz);
	a->gz = NULL;
	if (code != Z_OK)
		return errno ? -errno : -EIO;
	return fsync(a->fd) < 0 ? -errno : 0;
}

/* ---- reading ---- */

struct unarchive {
	gzFile gz;
	EVP_MD_CTX *hash;
	int64_t left, pad;
};

int unarchive_create(struct unarchive **ret, int fd)
{
	CLEANUP(unarchive_free) struct unarchive *u = calloc(1, sizeof(*u));

	if (u)
		u->gz = gzdopen(fd, "rb");
	if (!u || !u->gz) {
		(void)close(fd);
		return -ENOMEM;
	}
	u->hash = EVP_MD_CTX_new();
	if (!u->hash)
		return -ENOMEM;
	(void)gzbuffer(u->gz, PIECE);
	*ret = TAKE(u);
	return 0;
}

struct unarchive *unarchive_free(struct unarchive *u)
{
	if (!u)
		return NULL;
	if (u->gz)
		(void)gzclose(u->gz);
	EVP_MD_CTX_free(u->hash);
	free(u);
	return NULL;
}

static int get(struct unarchive *u, void *p, size_t n)
{
	/* What is no gzip at all would be handed through as it is. */
	return gzread(u->gz, p, (unsigned)n) == (int)n && !gzdirect(u->gz) ? 0 : -EBADMSG;
}

int unarchive_read(struct unarchive *u, void *p, int size)
{
	int n = size < u->left ? size : (int)u->left;

	if (n == 0)
		return 0;
	if (get(u, p, (size_t)n) < 0 || EVP_DigestUpdate(u->hash, p, (size_t)n) != 1)
		return -EBADMSG;
	u->left -= n;
	return n;
}

void unarchive_hash(struct unarchive *u, char ret_hash[ARCHIVE_HASH])
{
	hash_end(u->hash, ret_hash);
}

static int skip_rest(struct unarchive *u)
{
	char piece[4096];
	int n;

	while ((n = unarchive_read(u, piece, sizeof(piece))) > 0)
		;
	return n < 0 ? n : get(u, piece, (size_t)u->pad);
}

/* Digits of that base-8 number up to a NUL or blank, or GNU's binary form. */
static int read_number(const char *p, size_t n, int64_t *ret)
{
	int64_t v = 0;
	size_t i = 0;

	if ((unsigned char)p[0] == 0x80) {
		for (i = 1; i < n; i++) {
			if (v > INT64_MAX >> 8)
				return -EBADMSG;
			v = v << 8 | (unsigned char)p[i];
		}
		*ret = v;
		return 0;
	}
	while (i < n && p[i] >= '0' && p[i] <= '7')
		v = v * 8 + (p[i++] - '0');
	*ret = v;
	return i > 0 && (i == n || p[i] == '\0' || p[i] == ' ') ? 0 : -EBADMSG;
}

/* Behind the last file: blocks of zeros, then nothing; reading on to the very end is what makes gzip check itself. */
static int read_end(struct unarchive *u)
{
	char c[BLOCK];
	int n;

	while ((n = gzread(u->gz, c, sizeof(c))) > 0) {
		for (int i = 0; i < n; i++) {
			if (c[i])
				return -EBADMSG;
		}
	}
	int code = Z_OK;
	(void)gzerror(u->gz, &code);
	return n == 0 && (code == Z_OK || code == Z_STREAM_END) ? 0 : -EBADMSG;
}

int unarchive_next(struct unarchive *u, char ret_name[ARCHIVE_NAME], int64_t *ret_bytes)
{
	struct header h;
	int64_t sum, bytes;

	if (skip_rest(u) < 0 || get(u, &h, sizeof(h)) < 0)
		return -EBADMSG;
	if (h.name[0] == '\0')
		return read_end(u);
	if (read_number(h.sum, 7, &sum) < 0 || sum != sum_of(&h) ||
	    read_number(h.size, sizeof(h.size), &bytes) < 0 || h.type != '0' ||
	    str_copy(ret_name, ARCHIVE_NAME, str_n(h.name, strnlen(h.name, sizeof(h.name)))) < 0)
		return -EBADMSG;
	u->left = *ret_bytes = bytes;
	u->pad = padding(bytes);
	return hash_begin(u->hash) < 0 ? -ENOMEM : 1;
}
