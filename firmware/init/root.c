#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define SYSROOT "/sysroot"
#define DATA    SYSROOT "/data"

enum {
	SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC,
	FSCK_UNCORRECTED = 4, /* this bit and those above it */
	RUN_WORDS = 16,
	SUM_MAX = 4096,
};

/* In the installer's initrd: the root that it carries, and the SHA-256 of the image that goes with it. */
static const char CARRIED[] = "/root.squashfs", LOOP[] = "/dev/loop0";
static const char SUM[] = "/image.sha256", SUM_KEPT[] = "/run/image.sha256";

/*
 * The last twentieth, which ext4 keeps from everybody else, is for user `switch` of rootfs/usr/lib/sysusers.d/tandem.conf: on a
 * disk that somebody else has filled switchd starts, and books the calls that are up.
 */
static const char DATA_OPTIONS[] = "resuid=922";

static const char ETC[] =
	"lowerdir=" SYSROOT "/etc,upperdir=" DATA "/etc/upper,workdir=" DATA "/etc/work";

static int mount_at(const char *what, const char *where, const char *type, unsigned long flags,
		    const char *data)
{
	if (mkdir(where, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return -errno;
	return mount(what, where, type, flags, data) < 0 ? -errno : 0;
}

int root_prepare(void)
{
	static const struct {
		const char *type, *where, *data;
		unsigned long flags;
	} KERNEL[] = {
		{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
		{ "tmpfs", "/dev/shm", "mode=1777", SAFE }, /* systemd's own would run programs */
		{ "proc", "/proc", NULL, SAFE },
		{ "sysfs", "/sys", NULL, SAFE },
		{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV },
	};

	for (size_t i = 0; i < sizeof(KERNEL) / sizeof(KERNEL[0]); i++) {
		int r = mount_at(KERNEL[i].type, KERNEL[i].where, KERNEL[i].type, KERNEL[i].flags,
				 KERNEL[i].data);
		if (r < 0 && r != -EBUSY) /* the kernel may have mounted /dev */
			return r;
	}
	return 0;
}

/* A program of the slot, run inside the slot: its exit status; negative errno. execve takes words that it does not change. */
static int run_inside(const char *program, const char *const words[])
{
	int status;

	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		char *argv[RUN_WORDS] = { 0 };
		for (size_t i = 0; words[i] && i + 1 < RUN_WORDS; i++)
			argv[i] = strdup(words[i]);
		if (chroot(SYSROOT) == 0 && chdir("/") == 0)
			(void)execve(program, argv, (char *[]){ NULL });
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

static int fsck(const char *how, const char *device)
{
	return run_inside("/usr/sbin/e2fsck", (const char *const[]){ "e2fsck", how, device, NULL });
}

/* What -p does not dare to mend is mended all the same: nobody stands at the console to ask. */
static void check_data(const char *device)
{
	int r = fsck("-p", device);

	if (r >= FSCK_UNCORRECTED) {
		printf("tandem: data partition damaged (%d), repairing\n", r);
		r = fsck("-y", device);
	}
	if (r < 0 || r >= FSCK_UNCORRECTED)
		printf("tandem: e2fsck of %s: %d\n", device, r);
}

/* A factory reset: nothing of what this machine was told or has booked stays. */
static int reset_data(const char *device)
{
	const char *const argv[] = { "mke2fs", "-q",   "-F",
				     "-t",     "ext4", "-L",
				     "data",   "-E",   "lazy_itable_init=1,root_owner=0:0",
				     device,   NULL };

	printf("tandem: factory reset: the data partition is made anew\n");
	int r = run_inside("/usr/sbin/mke2fs", argv);
	if (r != 0)
		printf("tandem: mke2fs of %s: %d\n", device, r);
	return r > 0 ? -EIO : r;
}

static int make_folders(void)
{
	static const char *const FOLDERS[] = { DATA "/etc", DATA "/etc/upper", DATA "/etc/work",
					       DATA "/var" };

	for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++)
		if (mkdir(FOLDERS[i], 0755) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

/* What is written goes to DATA, where something is mounted by now. */
static int lay_over(void)
{
	int r = make_folders();
	if (r < 0)
		return r;
	r = mount_at("overlay", SYSROOT "/etc", "overlay", SAFE | MS_NOATIME, ETC);
	if (r < 0)
		return r;
	r = mount_at(DATA "/var", SYSROOT "/var", NULL, MS_BIND, NULL);
	if (r < 0)
		return r;
	/* A bind takes its own flags only when it is mounted once more. */
	return mount_at(NULL, SYSROOT "/var", NULL, MS_REMOUNT | MS_BIND | SAFE | MS_NOATIME, NULL);
}

int root_mount(const char *root, const char *data, bool is_reset)
{
	int r = mount_at(root, SYSROOT, "squashfs", MS_RDONLY, NULL);
	if (r < 0)
		return r;
	r = mount_at("/dev", SYSROOT "/dev", NULL, MS_BIND, NULL);
	if (r < 0)
		return r;
	if (is_reset)
		r = reset_data(data);
	else
		check_data(data);
	if (umount(SYSROOT "/dev") < 0)
		return -errno;
	if (r == 0)
		r = mount_at(data, DATA, "ext4", SAFE | MS_NOATIME, DATA_OPTIONS);
	return r < 0 ? r : lay_over();
}

/* ---- the installer's ---- */

static int attach(const char *file, const char *device)
{
	struct loop_config c = { .info = { .lo_flags = LO_FLAGS_READ_ONLY } };

	CLEANUP(close) int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	CLEANUP(close) int loop = open(device, O_RDWR | O_CLOEXEC);
	if (loop < 0)
		return -errno;
	c.fd = (uint32_t)fd;
	return ioctl(loop, LOOP_CONFIGURE, &c) < 0 ? -errno : 0;
}

static int keep_sum(void)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = file_read(SUM, SUM_MAX, &text, NULL);

	return r < 0 ? r : file_write(SUM_KEPT, buf_str(&text), 0444, true, NULL);
}

int root_mount_carried(void)
{
	int r = attach(CARRIED, LOOP);

	if (r == 0)
		r = mount_at(LOOP, SYSROOT, "squashfs", MS_RDONLY, NULL);
	if (r == 0)
		r = mount_at("tmpfs", DATA, "tmpfs", SAFE, "mode=0755");
	if (r == 0)
		r = lay_over();
	/* What the initrd knows of the image that goes with it; the initrd itself is emptied. */
	return r == 0 ? keep_sum() : r;
}

/* The initrd's memory comes back when its files go. Other file systems are not entered. */
static void empty(int folder, dev_t device)
{
	DIR *d = fdopendir(folder);
	struct dirent *e;
	struct stat st;

	if (!d) {
		(void)close(folder);
		return;
	}
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_dev != device)
			continue;
		if (S_ISDIR(st.st_mode)) {
			int child = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (child >= 0)
				empty(child, device);
		}
		(void)unlinkat(dirfd(d), e->d_name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
	(void)closedir(d);
}

static int move_mounts(void)
{
	static const char *const MOVED[][2] = { { "/dev", SYSROOT "/dev" },
						{ "/proc", SYSROOT "/proc" },
						{ "/sys", SYSROOT "/sys" },
						{ "/run", SYSROOT "/run" } };

	for (size_t i = 0; i < sizeof(MOVED) / sizeof(MOVED[0]); i++)
		if (mount(MOVED[i][0], MOVED[i][1], NULL, MS_MOVE, NULL) < 0)
			return -errno;
	return 0;
}

int root_switch(const char *init)
{
	char *const argv[] = { strdupa(init), NULL };
	struct stat st;

	int r = move_mounts();
	if (r < 0)
		return r;
	int old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old < 0 || fstat(old, &st) < 0 || chdir(SYSROOT) < 0)
		return -errno;
	empty(old, st.st_dev);
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	(void)execve(argv[0], argv, (char *[]){ NULL });
	return -errno;
}
