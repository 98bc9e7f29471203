#include "uplinks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "formats/ifcfg.h"

enum { FILE_MAX = 16 << 10 };

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return str_n(s.p + 1, s.n - 2);
	return s;
}

static bool is_uplink(struct str text)
{
	struct str line, key;
	bool has_gateway = false, is_off = false;

	while (str_line(&text, &line)) {
		if (!str_split(&line, '=', &key))
			continue;

		struct str value = unquoted(line);

		key = str_trim(key);
		if (str_eq(key, STR("GATEWAY")))
			has_gateway = has_gateway || value.n > 0;
		else if (str_eq(key, STR("BOOTPROTO")))
			has_gateway = has_gateway || str_ieq(value, STR("dhcp"));
		else if (str_eq(key, STR("ONBOOT")))
			is_off = str_ieq(value, STR("no"));
	}
	return has_gateway && !is_off;
}

/* What is longer than any such file is looked at as far as that. */
static bool is_file_of_one(int folder, const char *name)
{
	char text[FILE_MAX];
	CLEANUP(close) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n > 0 && is_uplink(str_n(text, (size_t)n));
}

int uplinks_count(int folder)
{
	int fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int n = 0;

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while ((e = readdir(d)))
		n += ifcfg_is_name(str_of(e->d_name)) && is_file_of_one(dirfd(d), e->d_name);
	return n;
}
