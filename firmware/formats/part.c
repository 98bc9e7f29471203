#include "formats/part.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { UEVENT_MAX = 4096 };

static const char BLOCK[] = "/sys/class/block";

static bool has_name(const char *entry, struct str name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf uevent = BUF_INIT;
	struct str rest, line;

	buf_printf(&path, "%s/%s/uevent", BLOCK, entry);
	const char *z = buf_cstr(&path);
	if (!z || file_read(z, UEVENT_MAX, &uevent, NULL) < 0)
		return false;
	rest = buf_str(&uevent);
	while (str_line(&rest, &line))
		if (str_has_prefix(line, STR("PARTNAME=")))
			return str_eq(str_skip(line, sizeof("PARTNAME=") - 1), name);
	return false;
}

int part_disk(const char *entry, char disk[PART_PATH_MAX])
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s/..", BLOCK, entry);
	const char *z = buf_cstr(&path);
	if (!z)
		return buf_error(&path);
	CLEANUP(free) char *real = realpath(z, NULL);
	return real ? str_copy(disk, PART_PATH_MAX, str_of(real)) : -errno;
}

static int describe(struct part *p, const char *entry)
{
	struct buf device = buf_fixed(p->device, sizeof(p->device));

	buf_printf(&device, "/dev/%s", entry);
	int r = buf_error(&device);
	return r < 0 ? r : part_disk(entry, p->disk);
}

int part_find(struct part *ret, struct str name, const char *disk)
{
	CLEANUP(closedir) DIR *d = opendir(BLOCK);
	struct dirent *e;

	if (!d)
		return -ENODEV;
	while ((e = readdir(d))) {
		struct part p;

		if (!has_name(e->d_name, name) || describe(&p, e->d_name) < 0)
			continue;
		if (disk && strcmp(disk, p.disk) != 0)
			continue;
		*ret = p;
		return 0;
	}
	return -ENODEV;
}
