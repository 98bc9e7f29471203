#include "places.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* The root file system's device: the first that dm-verity made, which tandem-init did. */
static const char VERITY[] = "/sys/class/block/dm-0/slaves";

static int no_slots(struct err *err, const char *what)
{
	return err_set(err, ERR_CONFLICT, "", STR(""), "a machine that runs from Tandem's image",
		       "this machine has no slots: %s", what);
}

static int find_disk(struct places *p, struct err *err)
{
	CLEANUP(closedir) DIR *d = opendir(VERITY);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && part_disk(e->d_name, p->disk) == 0)
			return 0;
	return no_slots(err, "its root is not verified");
}

int places_find(struct places *ret, const struct options *o, struct err *err)
{
	struct buf mount_at = buf_fixed(ret->mount, sizeof(ret->mount));
	struct buf notes = buf_fixed(ret->notes, sizeof(ret->notes));

	*ret = (struct places){ .folder = o->slots };
	buf_printf(&mount_at, "%s/esp", o->state);
	buf_printf(&notes, "%s/slots.json", o->state);
	if (!buf_cstr(&mount_at) || !buf_cstr(&notes))
		return -ENAMETOOLONG;
	ret->running = o->slots ? slots_index(o->running) : slots_running();
	if (ret->running < 0)
		return no_slots(err, "the kernel was not told which one");
	return o->slots ? 0 : find_disk(ret, err);
}

int places_part(const struct places *p, const char *what, int slot, char ret[PART_PATH_MAX],
		struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct buf path = buf_fixed(ret, PART_PATH_MAX);
	struct part part;

	buf_printf(&name, "%s-%c", what, 'a' + slot);
	if (p->folder) {
		buf_printf(&path, "%s/%s", p->folder, buf_cstr(&name));
		return buf_cstr(&path) ? 0 : -ENAMETOOLONG;
	}
	if (part_find(&part, buf_str(&name), p->disk) < 0)
		return no_slots(err, buf_cstr(&name));
	return str_copy(ret, PART_PATH_MAX, str_of(part.device));
}

/* ---- the environment block ---- */

static int mount_esp(const struct places *p, struct err *err)
{
	struct part esp;

	if (part_find(&esp, STR("esp"), p->disk) < 0)
		return no_slots(err, "esp");
	if (mkdir(p->mount, 0700) < 0 && errno != EEXIST)
		return -errno;
	return mount(esp.device, p->mount, "vfat", MS_NOSUID | MS_NODEV | MS_NOEXEC, "umask=0077") <
			       0
		       ? -errno
		       : 0;
}

/* Where the block is now; done() must follow. */
static int begin(const struct places *p, struct buf *path, struct err *err)
{
	int r = p->folder ? 0 : mount_esp(p, err);

	buf_printf(path, "%s", p->folder ? p->folder : p->mount);
	buf_putz(path, p->folder ? "/grubenv" : "/grub/grubenv");
	if (r == 0 && !buf_cstr(path))
		r = -ENOMEM;
	if (r < 0 && r != -EINVAL)
		(void)err_set(err, ERR_STORE, "", STR(""), NULL,
			      "the boot loader's partition cannot be had: %s", strerror(-r));
	return r;
}

static int done(const struct places *p, int r)
{
	if (!p->folder && umount(p->mount) < 0 && r == 0)
		r = -errno;
	return r;
}

int places_load(const struct places *p, struct slots *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = begin(p, &path, err);

	if (r < 0)
		return r;
	r = done(p, slots_load(buf_cstr(&path), ret));
	if (r == -EINVAL) {
		*ret = slots_fresh();
		ret->is_ok[0] = false;
		ret->is_ok[p->running] = true;
		r = 0;
	}
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", STR(""), NULL,
			      "the boot loader's state cannot be read: %s", strerror(-r));
	return r;
}

int places_store(const struct places *p, const struct slots *s, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = begin(p, &path, err);

	if (r < 0)
		return r;
	r = done(p, slots_store(buf_cstr(&path), s));
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", STR(""), NULL,
			      "the boot loader's state cannot be written: %s", strerror(-r));
	return r;
}
