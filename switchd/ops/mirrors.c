#include <dirent.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ops/inner.h"

/*
 * Mirrored disks (Linux md) of the machine that we run on: one that is missing or broken is seen by nobody else, for all goes
 * on. md says in sysfs how many.
 */

enum { TEXT_MAX_BYTES = 32, MISSING_MAX = 1000 };

static const char DISKS[] = "/sys/block";

/* How many disks that array misses; 0 if it says nothing of the kind. */
static uint32_t missing(const char *array)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint32_t n = 0;

	buf_printf(&path, "%s/%s/md/degraded", DISKS, array);
	if (buf_cstr(&path) && file_read(path.p, TEXT_MAX_BYTES, &text, NULL) == 0)
		(void)str_to_u32(str_trim(buf_str(&text)), MISSING_MAX, &n);
	return n;
}

void look_at_mirrors(struct ops *o)
{
	CLEANUP(closedir) DIR *d = opendir(DISKS);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		uint32_t n = str_has_prefix(str_of(e->d_name), STR("md")) ? missing(e->d_name) : 0;

		if (n > 0)
			alarm_raise(o->alarms, "mirror", 2, e->d_name, n,
				    "a mirrored disk is missing or broken: the other one works "
				    "alone until it is replaced");
	}
}
