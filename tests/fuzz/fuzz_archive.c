/* A backup from anywhere: it is read to its end or refused, and no name or size leads out of bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(unarchive_free) struct unarchive *u = NULL;
	char name[ARCHIVE_NAME], piece[700];
	int64_t bytes, total = 0;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		return 0;
	if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0) {
		(void)close(fd);
		return 0;
	}
	if (unarchive_create(&u, fd) < 0)
		return 0;
	while (total < 1 << 22 && unarchive_next(u, name, &bytes) == 1) {
		int n;

		assert(strlen(name) < ARCHIVE_NAME && bytes >= 0);
		while (total < 1 << 22 && (n = unarchive_read(u, piece, sizeof(piece))) > 0)
			total += n;
		total += 512;
	}
	return 0;
}
