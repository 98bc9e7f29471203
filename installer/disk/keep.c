#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "formats/part.h"

#define MOUNT  "/run/tandem-data"
#define FOLDER "/var/lib/tandem-setup" /* as installer/setup.h has it */

enum { LICENCE_MAX = 64 * 1024 };

/* Beside the answers, or by its full path. */
static int read_licence(struct kept *k, const char *path, struct err *err)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct str given = answers_str(k->answers, ANSWER_LICENCE);
	const char *slash = strrchr(path, '/');

	if (str_is_empty(given))
		return 0;
	if (given.p[0] != '/' && slash)
		buf_put(&file, str_n(path, (size_t)(slash - path) + 1));
	buf_put(&file, given);
	int r = buf_cstr(&file) ? file_read(file.p, LICENCE_MAX, &k->licence, NULL) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_NOT_FOUND, "licence", given,
			       "a file beside tandem.conf, or its full path",
			       "the licence cannot be read: %s", strerror(-r));
	return answers_set(k->answers, ANSWER_LICENCE, STR(FOLDER "/licence.json"), 0, err);
}

int keep_read(struct kept *k, const char *path, struct answers_report *report, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	*report = (struct answers_report){ 0 };
	*k = (struct kept){ .answers = answers_create() };
	if (!k->answers)
		return -ENOMEM;
	int r = file_read(path, ANSWERS_FILE_MAX, &text, err);
	if (r == 0)
		r = answers_parse(k->answers, buf_str(&text), report);
	if (r == 0)
		r = answers_check(k->answers, report);
	return r == 0 ? read_licence(k, path, err) : r;
}

void keep_done(struct kept *k)
{
	k->answers = answers_free(k->answers);
	buf_done(&k->licence);
}

/* ---- the new data partition ---- */

/* The kernel reads the table of partitions anew; the disk's folder in /sys in *folder. */
static int read_table(const char *disk, char folder[PART_PATH_MAX])
{
	CLEANUP(buf_done) struct buf link = BUF_INIT;
	CLEANUP(close) int fd = open(disk, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, BLKRRPART, 0) < 0)
		return -errno;
	buf_putz(&link, "/sys/class/block/");
	for (const char *p = disk + strlen("/dev/"); *p; p++)
		buf_putc(&link, *p == '/' ? '!' : *p);
	CLEANUP(free) char *real = buf_cstr(&link) ? realpath(link.p, NULL) : NULL;
	return real ? str_copy(folder, PART_PATH_MAX, str_of(real)) : -errno;
}

static int make_folders(void)
{
	static const struct {
		const char *path;
		mode_t mode;
	} FOLDERS[] = {
		{ MOUNT "/var", 0755 },
		{ MOUNT "/var/lib", 0755 },
		{ MOUNT FOLDER, 0700 },
	};

	for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++)
		if (mkdir(FOLDERS[i].path, FOLDERS[i].mode) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

static int put_files(struct kept *k, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	answers_print(k->answers, false, &text);
	int r = buf_error(&text) < 0 ? buf_error(&text) : make_folders();
	if (r == 0)
		r = file_write(MOUNT FOLDER "/answers.conf", buf_str(&text), 0600, true, err);
	if (r == 0 && k->licence.n > 0)
		r = file_write(MOUNT FOLDER "/licence.json", buf_str(&k->licence), 0600, true, err);
	return r;
}

int keep_write(struct kept *k, const char *disk, struct err *err)
{
	char folder[PART_PATH_MAX];
	struct part data;
	int r = read_table(disk, folder);

	if (r == 0)
		r = part_find(&data, STR("data"), folder);
	if (r == 0 && mkdir(MOUNT, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0 && mount(data.device, MOUNT, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		r = -errno;
	if (r == 0) {
		r = put_files(k, err);
		if (umount(MOUNT) < 0 && r == 0)
			r = -errno;
	}
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", str_of(disk), NULL,
			      "the answers cannot be written to the new disk: %s", strerror(-r));
	return r;
}
