#include "halves.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { PARTITIONS_MAX = 16 };

static const char DISKS[] = "/sys/block", NEW_ARRAY[] = "/sys/module/md_mod/parameters/new_array";

/* In sysfs a slash of a name is written as an exclamation mark (cciss!c0d0). */
static int device_of(const char *name, char ret[PART_PATH_MAX])
{
	struct buf path = buf_fixed(ret, PART_PATH_MAX);

	buf_putz(&path, "/dev/");
	for (const char *p = name; *p; p++)
		buf_putc(&path, *p == '!' ? '/' : *p);
	return buf_cstr(&path) ? 0 : -ENAMETOOLONG;
}

static void add(struct halves *h, const struct mirror_half *first, const char *name)
{
	struct mirror_half half;

	if (h->n < MIRROR_DISKS_MAX && device_of(name, h->device[h->n]) == 0 &&
	    mirror_read(&half, h->device[h->n]) == 0 && mirror_is_same(first, &half))
		h->n++;
}

int halves_find(struct halves *ret, const char *disk)
{
	const char *slash = strrchr(disk, '/');
	char device[PART_PATH_MAX];
	struct mirror_half first = { 0 };
	struct dirent *e;

	*ret = (struct halves){ 0 };
	int r = device_of(slash ? slash + 1 : disk, device);
	if (r == 0)
		r = mirror_read(&first, device);
	if (r < 0)
		return r;
	CLEANUP(closedir) DIR *d = opendir(DISKS);
	if (!d)
		return -errno;
	ret->wanted = first.disks;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			add(ret, &first, e->d_name);
	return 0;
}

static void hide_partitions(int fd)
{
	for (int n = 1; n <= PARTITIONS_MAX; n++) {
		struct blkpg_partition part = { .pno = n };
		struct blkpg_ioctl_arg arg = { .op = BLKPG_DEL_PARTITION,
					       .datalen = sizeof(part),
					       .data = &part };
		(void)ioctl(fd, BLKPG, &arg); /* there are not so many */
	}
}

static int give(int md, const char *device)
{
	struct stat st;

	CLEANUP(close) int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	hide_partitions(fd);
	mdu_disk_info_t disk = { .major = (int)major(st.st_rdev), .minor = (int)minor(st.st_rdev) };
	return ioctl(md, ADD_NEW_DISK, &disk) < 0 ? -errno : 0;
}

/* What the halves say of themselves decides all else: which of them is behind the others, too. */
static int run(const struct halves *h)
{
	mdu_array_info_t version = { .major_version = 1, .minor_version = 0 };
	unsigned taken = 0;
	int r = 0;

	CLEANUP(close) int md = open(MIRROR_DEVICE, O_RDWR | O_CLOEXEC);
	if (md < 0 || ioctl(md, SET_ARRAY_INFO, &version) < 0)
		return -errno;
	for (unsigned i = 0; i < h->n; i++) {
		r = give(md, h->device[i]);
		if (r < 0)
			printf("tandem: %s: %s\n", h->device[i], strerror(-r));
		taken += r == 0;
	}
	if (taken == 0)
		return r;
	return ioctl(md, RUN_ARRAY, NULL) < 0 ? -errno : 0;
}

/* The kernel reads the table of partitions when a disk that changed is opened anew. */
static int read_table(void)
{
	CLEANUP(close) int md = open(MIRROR_DEVICE, O_RDONLY | O_CLOEXEC);

	return md < 0 ? -errno : 0;
}

static int make_device(void)
{
	CLEANUP(close) int fd = open(NEW_ARRAY, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : file_put(fd, STR(MIRROR_NAME));
}

int halves_join(const struct halves *h, struct modules *m)
{
	int r = modules_load(m, STR("raid1"));

	if (h->n < h->wanted)
		printf("tandem: %u of %u disks of the mirror are there\n", h->n, h->wanted);
	if (r == 0)
		r = make_device();
	if (r == 0)
		r = run(h);
	return r == 0 ? read_table() : r;
}
