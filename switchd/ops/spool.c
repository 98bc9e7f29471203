#include "ops/spool.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"

enum { BUSY_MS = 30000 };

int spool_map(struct spool *s, struct err *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct buf hex = buf_fixed(s->sha256, sizeof(s->sha256));
	struct stat st;
	unsigned n = 0;

	if (fstat(s->fd, &st) < 0)
		return -errno;
	if (st.st_size == 0)
		return err_set(err, ERR_BAD_VALUE, "file", STR(""), "a file with something in it",
			       "the file is empty");
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	s->map = map;
	s->size = (size_t)st.st_size;
	if (EVP_Digest(s->map, s->size, sum, &n, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	buf_put_hex(&hex, sum, n);
	return buf_cstr(&hex) ? 0 : -ENOMEM;
}

void spool_done(struct spool *s)
{
	if (s->map)
		(void)munmap(s->map, s->size);
	if (s->fd >= 0)
		(void)close(s->fd);
	*s = (struct spool){ .fd = -1 };
}

int spool_open_config(const char *data_dir, enum db_mode mode, const atomic_bool *stop,
		      struct db **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/switch.db", data_dir);
	int r = buf_cstr(&path) ? db_open(ret, path.p, mode, BUSY_MS) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), "try again",
			       "the configuration cannot be opened: %s", strerror(-r));
	db_set_stop(*ret, stop);
	return 0;
}

int spool_has_room(const char *data_dir, uint64_t need, uint64_t reserve, struct err *err)
{
	enum { MEGABYTE = 1 << 20 };
	struct statvfs s;

	if (statvfs(data_dir, &s) < 0)
		return -errno;
	uint64_t room = (uint64_t)s.f_bavail * s.f_frsize;
	if (room >= reserve + need)
		return 0;
	(void)err_set(
		err, ERR_STORE, "", STR(""), "room on the disk; nothing was changed",
		"it takes some %llu MB, and the disk has %llu MB beside those that calls need",
		(unsigned long long)need / MEGABYTE + 1,
		(unsigned long long)(room > reserve ? (room - reserve) / MEGABYTE : 0));
	return -ENOSPC;
}

void spool_give_back(struct db *d)
{
	db_set_stop(d, NULL);
	(void)db_exec(d, "PRAGMA wal_checkpoint(TRUNCATE)");
}
