#include "formats/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { CHUNK = 4096 };

int small_file_read(const char *path, size_t max, struct buf *to)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	for (size_t total = 0; total <= max;) {
		int r = buf_reserve(to, CHUNK);
		if (r < 0)
			return r;
		ssize_t n = read(fd, to->p + to->n, CHUNK);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		to->n += (size_t)n;
		total += (size_t)n;
	}
	return -EFBIG;
}
