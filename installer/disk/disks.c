#include "disks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { ATTRIBUTE_MAX = 4096, LOOK = 64 << 10, SECTOR = 512, CD_ROM = 5 };

/* ---- sysfs ---- */

/* An attribute of a disk, trimmed; empty if there is none. */
static struct str attribute(const char *root, const char *disk, const char *name, struct buf *text)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_clear(text);
	buf_printf(&path, "%s/sys/block/%s/%s", root, disk, name);
	if (!buf_cstr(&path) || file_read(path.p, ATTRIBUTE_MAX, text, NULL) < 0)
		return (struct str){ 0 };
	return str_trim(buf_str(text));
}

static uint64_t number(const char *root, const char *disk, const char *name)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t n = 0;

	(void)str_to_u64(attribute(root, disk, name, &text), UINT64_MAX, &n);
	return n;
}

/* A disk of its own, with room: no loop device, no floppy, no reader of discs, no boot area of a flash chip. */
static bool is_disk(const char *root, const char *name)
{
	static const struct str NOT[] = { STR_INIT("loop"), STR_INIT("ram"), STR_INIT("sr"),
					  STR_INIT("fd"),   STR_INIT("dm-"), STR_INIT("md"),
					  STR_INIT("zram"), STR_INIT("nbd") };

	for (size_t i = 0; i < sizeof(NOT) / sizeof(NOT[0]); i++)
		if (str_has_prefix(str_of(name), NOT[i]))
			return false;
	return name[0] != '.' && str_find(str_of(name), STR("boot")) < 0 &&
	       number(root, name, "device/type") != CD_ROM && number(root, name, "size") > 0;
}

static void read_model(const char *root, const char *name, struct disk *d)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf shown = BUF_INIT;
	struct str model = attribute(root, name, "device/model", &text);

	if (str_is_empty(model))
		model = attribute(root, name, "device/name", &text);
	if (str_is_empty(model) && str_has_prefix(str_of(name), STR("vd")))
		model = STR("virtio disk");
	buf_put_printable(&shown, str_head(model, DISK_MODEL / 2));
	(void)str_copy(d->model, sizeof(d->model), buf_str(&shown));
}

/* ---- what is on it ---- */

/* The name of a partition, from its uevent. */
static void put_name(const char *root, const char *disk, const char *part, struct disk *d,
		     struct buf *names)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str rest, line, name = { 0 };

	buf_printf(&file, "%s/uevent", part);
	rest = buf_cstr(&file) ? attribute(root, disk, file.p, &text) : name;
	while (str_line(&rest, &line))
		if (str_has_prefix(line, STR("PARTNAME=")))
			name = str_skip(line, STR("PARTNAME=").n);
	if (str_eq(name, STR("root-a")))
		d->is_tandem = true;
	if (!str_is_empty(name)) {
		buf_putz(names, names->n > 0 ? ", " : ": ");
		buf_put_printable(names, name);
	}
}

/* "3 partitions: EFI, boot, data"; false if there are none. */
static bool read_partitions(const char *root, const char *name, struct disk *d)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	struct dirent *e;
	int n = 0;

	buf_printf(&path, "%s/sys/block/%s", root, name);
	CLEANUP(closedir) DIR *folder = buf_cstr(&path) ? opendir(path.p) : NULL;
	while (folder && (e = readdir(folder))) {
		if (!str_has_prefix(str_of(e->d_name), str_of(name)))
			continue;
		n++;
		put_name(root, name, e->d_name, d, &names);
	}
	if (d->is_tandem)
		(void)snprintf(d->holds, sizeof(d->holds), "a Tandem system");
	else if (n > 0)
		(void)snprintf(d->holds, sizeof(d->holds), "%d partition%s%.*s", n,
			       n == 1 ? "" : "s", (int)(names.n < 120 ? names.n : 120),
			       names.n > 0 ? names.p : "");
	return n > 0;
}

/* A file system on the whole disk, or bytes that mean something to somebody. */
static const char *content(const char *bytes, size_t n)
{
	static const struct {
		size_t at;
		struct str magic;
		const char *name;
	} KNOWN[] = {
		{ 1080, STR_INIT("\x53\xef"), "a file system (ext)" },
		{ 0, STR_INIT("XFSB"), "a file system (xfs)" },
		{ 0, STR_INIT("LUKS\xba\xbe"), "an encrypted volume (LUKS)" },
		{ 3, STR_INIT("NTFS"), "a file system (NTFS)" },
		{ 512, STR_INIT("LABELONE"), "an LVM volume" },
		{ 4096, STR_INIT("\xfc\x4e\x2b\xa9"), "a part of a RAID" },
		{ 32769, STR_INIT("CD001"), "an installation medium (ISO 9660)" },
		{ 512, STR_INIT("EFI PART"), "a partition table" },
	};

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (KNOWN[i].at + KNOWN[i].magic.n <= n &&
		    str_eq(str_n(bytes + KNOWN[i].at, KNOWN[i].magic.n), KNOWN[i].magic))
			return KNOWN[i].name;
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != '\0')
			return "data that is not known";
	return "nothing";
}

static void read_content(const char *root, struct disk *d)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(free) char *bytes = malloc(LOOK);
	const char *what = "cannot be read";

	buf_printf(&path, "%s%s", root, d->path);
	CLEANUP(close) int fd = buf_cstr(&path) ? open(path.p, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 && bytes ? pread(fd, bytes, LOOK, 0) : -1;
	if (n > 0)
		what = content(bytes, (size_t)n);
	(void)snprintf(d->holds, sizeof(d->holds), "%s", what);
}

/* Who mounts a part of it holds the whole. */
static bool is_held(const char *root, const struct disk *d)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s%s", root, d->path);
	CLEANUP(close)
	int fd = buf_cstr(&path) ? open(path.p, O_RDONLY | O_EXCL | O_CLOEXEC) : -1;
	return fd < 0 && errno == EBUSY;
}

/* ---- the list ---- */

static void describe(const char *root, const char *name, struct disk *d)
{
	struct buf path = buf_fixed(d->path, sizeof(d->path));

	*d = (struct disk){ .bytes = number(root, name, "size") * SECTOR,
			    .is_read_only = number(root, name, "ro") != 0 };
	buf_putz(&path, "/dev/");
	/* In sysfs a slash of a name is written as an exclamation mark (cciss!c0d0). */
	for (const char *p = name; *p; p++)
		buf_putc(&path, *p == '!' ? '/' : *p);
	if (!buf_cstr(&path))
		d->path[0] = '\0';
	read_model(root, name, d);
	if (!read_partitions(root, name, d))
		read_content(root, d);
	d->is_busy = is_held(root, d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct disk *)a)->path, ((const struct disk *)b)->path);
}

int disks_list(const char *root, struct disk list[DISKS_MAX])
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent *e;
	int n = 0;

	buf_printf(&path, "%s/sys/block", root);
	if (!buf_cstr(&path))
		return buf_error(&path);
	CLEANUP(closedir) DIR *folder = opendir(path.p);
	if (!folder)
		return -errno;
	while (n < DISKS_MAX && (e = readdir(folder)))
		if (is_disk(root, e->d_name))
			describe(root, e->d_name, &list[n++]);
	qsort(list, (size_t)n, sizeof(*list), by_path);
	return n;
}
