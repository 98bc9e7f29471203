/*
 * tandem-init: the one program of the initrd.
 *
 * Finds the disk, puts dm-verity over the slot that the boot loader chose, mounts what root.h
 * shows, and becomes the slot's init. The kernel calls it as /sbin/modprobe, too, when a driver asks
 * for another module by name.
 *
 * What fails is said on the console; the machine then restarts, and the boot loader, which marked
 * this try, takes the other slot.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/bootline.h"
#include "formats/part.h"
#include "halves.h"
#include "module.h"
#include "root.h"
#include "verity.h"

enum {
	DISK_MS = 60000, /* how long a controller may take to show its disks */
	HALF_MS = 15000, /* and how long one half of a mirror waits for the other */
	FAILED_S = 10,   /* how long a message stays readable */
	UEVENT_MAX = 8192,
};

static int say(int r, const char *what)
{
	if (r < 0)
		printf("tandem: %s: %s\n", what, strerror(-r));
	return r;
}

static int open_modules(struct modules *m, char *dir, size_t size)
{
	struct buf path = buf_fixed(dir, size);
	struct utsname uts;

	if (uname(&uts) < 0)
		return -errno;
	buf_printf(&path, "/lib/modules/%s", uts.release);
	return buf_error(&path) < 0 ? buf_error(&path) : modules_init(m, dir);
}

/* modprobe -q -- NAME, as the kernel calls it. */
static int modprobe(struct str name)
{
	struct modules m;
	char dir[256];

	int r = open_modules(&m, dir, sizeof(dir));
	if (r == 0)
		r = modules_load(&m, name);
	if (r == -ENOENT)
		r = modules_load_alias(&m, name);
	modules_done(&m);
	return r;
}

static int open_uevents(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		int r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

/* A uevent is words with a NUL behind each; a new device names itself in MODALIAS. */
static void hear(struct modules *m, struct str event)
{
	struct str word;

	while (str_split(&event, '\0', &word))
		if (str_has_prefix(word, STR("MODALIAS=")))
			(void)modules_load_alias(m, str_skip(word, sizeof("MODALIAS=") - 1));
}

/* 0: the slot's partition is there; -EAGAIN: not yet; other negative errno. *half_by: until when one half of a mirror waits. */
static int look(struct modules *m, struct part *root, struct part *data, struct str name,
		int64_t *half_by)
{
	struct halves h;

	if (part_find(root, name, NULL) < 0 || part_find(data, STR("data"), root->disk) < 0)
		return -EAGAIN;
	int r = halves_find(&h, root->disk);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	int64_t now = clock_mono_ms();
	if (*half_by == 0)
		*half_by = now + HALF_MS;
	if (h.n < h.wanted && now < *half_by)
		return -EAGAIN;
	r = say(halves_join(&h, m), "mirror");
	return r < 0 ? r : look(m, root, data, name, half_by);
}

/* Drivers are loaded for what is there and for what appears, until the slot's partition does. */
static int await_disk(struct modules *m, struct part *root, struct part *data, struct str name)
{
	int64_t deadline = clock_mono_ms() + DISK_MS, half_by = 0;
	char event[UEVENT_MAX];

	CLEANUP(close) int fd = open_uevents();
	if (fd < 0)
		return fd;
	modules_coldplug(m);
	for (;;) {
		int r = look(m, root, data, name, &half_by);
		if (r != -EAGAIN)
			return r;
		int64_t now = clock_mono_ms();
		int64_t until = half_by > now ? half_by : deadline;
		if (now >= deadline)
			return -ENODEV;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n =
			poll(&p, 1, (int)(until - now)) > 0 ? recv(fd, event, sizeof(event), 0) : 0;
		if (n > 0)
			hear(m, str_n(event, (size_t)n));
	}
}

static int load_file_systems(struct modules *m)
{
	static const char *const NAMES[] = { "dm_mod", "dm_verity", "squashfs", "ext4", "overlay" };

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		int r = say(modules_load(m, str_of(NAMES[i])), NAMES[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find(struct modules *m, const struct bootline *b, struct part *root, struct part *data)
{
	char name[] = "root-?";

	name[sizeof(name) - 2] = b->slot;
	int r = load_file_systems(m);
	return r < 0 ? r : say(await_disk(m, root, data, str_of(name)), name);
}

/* A slot of a disk. */
static int boot_slot(struct modules *m, const struct bootline *b)
{
	struct part root, data;

	int r = find(m, b, &root, &data);
	if (r == 0)
		r = say(verity_open(b, root.device), "dm-verity");
	if (r == 0)
		r = say(root_mount("/dev/dm-0", data.device, b->is_reset), "mount");
	if (r < 0)
		return r;
	printf("tandem: slot %c\n", b->slot);
	return say(root_switch("/sbin/init"), "init of the slot");
}

/* The root that came along in the initrd. Drivers of disks are loaded there, with all others. */
static int boot_installer(struct modules *m)
{
	int r = say(modules_load(m, STR("loop")), "loop");

	if (r == 0)
		r = load_file_systems(m);
	if (r == 0)
		r = say(root_mount_carried(), "mount of the installer");
	if (r < 0)
		return r;
	printf("tandem: installer\n");
	return say(root_switch("/usr/libexec/tandem/install"), "the installer");
}

static int boot(void)
{
	struct bootline b;
	struct modules m;
	char dir[256];

	int r = say(root_prepare(), "mount /proc, /sys, /dev");
	if (r < 0)
		return r;
	r = say(bootline_read(&b), "kernel command line");
	if (r < 0)
		return r;
	r = say(open_modules(&m, dir, sizeof(dir)), "kernel modules");
	if (r == 0)
		r = b.is_install ? boot_installer(&m) : boot_slot(&m, &b);
	modules_done(&m);
	return r;
}

int main(int argc, char **argv)
{
	if (getpid() != 1)
		return argc > 1 && modprobe(str_of(argv[argc - 1])) == 0 ? EXIT_SUCCESS
									 : EXIT_FAILURE;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)boot();
	printf("tandem: this slot does not boot; restarting in %d s\n", FAILED_S);
	(void)sleep(FAILED_S);
	(void)reboot(RB_AUTOBOOT);
	return EXIT_FAILURE;
}
