/*
 * tandem-slot: the running system's side of the A/B slots.
 *
 *	tandem-slot show [FILE]		which slot runs, and what the boot loader knows
 *	tandem-slot good [FILE]		this slot is healthy: it is booted again
 *
 * FILE is GRUB's environment block, on the EFI partition. It is overwritten in place and read back;
 * one that is damaged is made anew, with the slot that we run from as the one that works.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "formats/bootline.h"
#include "formats/slots.h"
#include "formats/small_file.h"

enum { CMDLINE_MAX = 8192, USAGE = 2 };

static const char ENVIRONMENT[] = "/boot/efi/grub/grubenv";

static int fail(int r, const char *what)
{
	(void)fprintf(stderr, "tandem-slot: %s: %s\n", what, strerror(-r));
	return EXIT_FAILURE;
}

/* The slot that runs, as a place in the arrays. */
static int running(void)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct bootline b;

	int r = small_file_read("/proc/cmdline", CMDLINE_MAX, &line);
	if (r < 0)
		return r;
	r = bootline_parse(&b, buf_str(&line));
	return r < 0 ? r : slots_index(b.slot);
}

static int load(const char *path, struct slots *s)
{
	CLEANUP(buf_done) struct buf block = BUF_INIT;

	int r = small_file_read(path, SLOTS_BLOCK, &block);
	return r < 0 ? r : slots_parse(s, buf_str(&block));
}

static int overwrite(const char *path, const char block[SLOTS_BLOCK])
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ssize_t n = pwrite(fd, block, SLOTS_BLOCK, 0);
	if (n < 0)
		return -errno;
	if (n != SLOTS_BLOCK)
		return -EIO;
	/* Longer is as useless to the boot loader as shorter. */
	if (lseek(fd, 0, SEEK_END) != SLOTS_BLOCK && ftruncate(fd, SLOTS_BLOCK) < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static int store(const char *path, const struct slots *s)
{
	CLEANUP(buf_done) struct buf back = BUF_INIT;
	char block[SLOTS_BLOCK];

	slots_print(s, block);
	int r = overwrite(path, block);
	if (r == 0)
		r = small_file_read(path, SLOTS_BLOCK, &back);
	if (r < 0)
		return r;
	return str_eq(buf_str(&back), str_n(block, SLOTS_BLOCK)) ? 0 : -EIO;
}

static int good(const char *path)
{
	struct slots s;

	int slot = running();
	if (slot < 0)
		return fail(slot, "cannot tell which slot runs");
	int r = load(path, &s);
	if (r < 0) {
		(void)fprintf(stderr, "tandem-slot: %s is damaged (%s), made anew\n", path,
			      strerror(-r));
		s = slots_fresh();
		s.is_ok[0] = false;
	} else if (s.is_ok[slot] && !s.is_tried[slot]) {
		return EXIT_SUCCESS;
	}
	s.is_ok[slot] = true;
	s.is_tried[slot] = false;
	r = store(path, &s);
	return r < 0 ? fail(r, path) : EXIT_SUCCESS;
}

static int show(const char *path)
{
	struct slots s;

	int slot = running();
	int r = load(path, &s);
	if (r < 0)
		return fail(r, path);
	printf("running %s\norder %c %c\n",
	       slot < 0    ? "unknown"
	       : slot == 0 ? "A"
			   : "B",
	       s.order[0], s.order[1]);
	for (int i = 0; i < SLOTS_COUNT; i++)
		printf("%c: %s, %s\n", i == 0 ? 'A' : 'B', s.is_ok[i] ? "may boot" : "empty or bad",
		       s.is_tried[i] ? "tried, no health reported" : "no try open");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *path = argc > 2 ? argv[2] : ENVIRONMENT;

	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "good") == 0)
		return good(path);
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "show") == 0)
		return show(path);
	(void)fprintf(stderr, "usage: tandem-slot show | good [FILE]\n");
	return USAGE;
}
