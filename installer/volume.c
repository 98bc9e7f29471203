#include "volume.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/tandem-setup.volume"

enum { LOOK_MS = 200 };

struct volume {
	bool is_mounted;
};

/* Labels come from a kernel command line, too: they name a file in a folder, no path. */
static bool is_label(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return s.n > 0 && s.n <= 32;
}

static int find(struct str label, ms_t wait, struct buf *device)
{
	ms_t until = clock_mono_ms() + wait;

	buf_printf(device, "/dev/disk/by-label/%.*s", STR_ARG(label));
	if (!buf_cstr(device))
		return -ENOMEM;
	while (access(device->p, F_OK) < 0) {
		if (clock_mono_ms() >= until)
			return -ENOENT;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

static int mount_any(const char *device)
{
	static const struct {
		const char *type, *data;
	} kinds[] = {
		{ "vfat", NULL },
		{ "iso9660", NULL },
		{ "ext4", "noload" },
		{ "squashfs", NULL },
	};
	int r = -ENODEV;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (mount(device, FOLDER, kinds[i].type,
			  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, kinds[i].data) == 0)
			return 0;
		r = -errno;
	}
	return r;
}

int volume_open(struct volume **ret, struct str label, ms_t wait)
{
	CLEANUP(buf_done) struct buf device = BUF_INIT;

	int r = is_label(label) ? find(label, wait, &device) : -EINVAL;
	if (r < 0)
		return r;
	CLEANUP(volume_close) struct volume *v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (mkdir(FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = mount_any(device.p);
	if (r < 0)
		return r;
	v->is_mounted = true;
	*ret = TAKE(v);
	return 0;
}

const char *volume_path(const struct volume *v)
{
	(void)v;
	return FOLDER;
}

struct volume *volume_close(struct volume *v)
{
	if (v && v->is_mounted)
		(void)umount2(FOLDER, MNT_DETACH);
	if (v)
		(void)rmdir(FOLDER);
	free(v);
	return NULL;
}
