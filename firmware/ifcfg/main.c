/*
 * tandem-ifcfg: turns each ifcfg file into a unit of systemd-networkd, before networkd starts.
 *
 *	tandem-ifcfg /etc/sysconfig/network-scripts /run/systemd/network
 *
 * A file with a mistake is named on stderr and left out; the others are still written. Units of
 * files that are gone are removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "formats/ifcfg.h"

enum { FILE_MAX = 64 << 10 };

static const struct str OURS = STR_INIT("70-ifcfg-");
static const struct str UNIT = STR_INIT(".network");

static int remove_old(const char *folder)
{
	CLEANUP(closedir) DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (str_has_prefix(str_of(e->d_name), OURS) && unlinkat(dirfd(d), e->d_name, 0) < 0)
			return -errno;
	return 0;
}

static int write_unit(int folder, struct str name, const struct ifcfg *c)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&path, "%.*s%.*s%.*s", STR_ARG(OURS), STR_ARG(str_skip(name, IFCFG_PREFIX.n)),
		   STR_ARG(UNIT));
	ifcfg_print(c, &text);
	const char *z = buf_cstr(&path);
	if (!z || buf_error(&text) < 0)
		return -ENOMEM;
	CLEANUP(close) int fd = openat(folder, z, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : file_put(fd, buf_str(&text));
}

static int convert(const char *from, const char *name, int to)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct ifcfg c;

	buf_printf(&path, "%s/%s", from, name);
	const char *z = buf_cstr(&path);
	int r = z ? file_read(z, FILE_MAX, &text, NULL) : -ENOMEM;
	if (r == 0)
		r = ifcfg_parse(&c, buf_str(&text), &err);
	if (r == 0 && c.is_on)
		r = write_unit(to, str_of(name), &c);
	if (r < 0 && err_is_set(&err))
		(void)fprintf(stderr, "%s/%s: %s: %s (accepted: %s)\n", from, name, err.message,
			      err.given, err.accepted);
	else if (r < 0)
		(void)fprintf(stderr, "%s/%s: %s\n", from, name, strerror(-r));
	return r;
}

static int convert_all(const char *from, const char *to)
{
	CLEANUP(closedir) DIR *d = opendir(from);
	struct dirent *e;
	int worst = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	CLEANUP(close) int folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	while ((e = readdir(d))) {
		int r = ifcfg_is_name(str_of(e->d_name)) ? convert(from, e->d_name, folder) : 0;
		worst = r < 0 ? r : worst;
	}
	return worst;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: tandem-ifcfg FROM TO\n");
		return 2;
	}
	if (mkdir(argv[2], 0755) < 0 && errno != EEXIST) {
		perror(argv[2]);
		return EXIT_FAILURE;
	}
	int r = remove_old(argv[2]);
	if (r == 0)
		r = convert_all(argv[1], argv[2]);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
