#include "choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { MIB = 1 << 20 };
static const double GIB = 1 << 30;
static const char WORD[] = "ERASE";

/* Why it cannot be used, or NULL. */
static const char *obstacle(const struct choose_order *o, const struct disk *d)
{
	if (o->first && strcmp(d->path, o->first->path) == 0)
		return "it is the first one";
	if (d->is_busy)
		return "it is in use: the installer came from it";
	if (d->is_read_only)
		return "it is write-protected";
	return d->bytes < o->bytes ? "it is too small" : NULL;
}

/* ---- by a person ---- */

static void show(const struct choose_order *o, struct talk *t, const struct disk *list, int n)
{
	if (n == 0)
		talk_say(t, "\nNo disk was found. A controller may need a driver that is not here, "
			    "or a "
			    "setting in the machine's firmware (AHCI in place of a RAID mode).\n");
	else
		talk_say(t, "\n      disk            size      what it is, what is on it\n");
	for (int i = 0; i < n; i++) {
		const struct disk *d = &list[i];
		const char *no = obstacle(o, d);

		talk_say(t, "  %2d  %-14s %6.1f GiB  %s%s%s%s%s\n", i + 1, d->path,
			 (double)d->bytes / GIB, d->model, d->model[0] ? "; " : "", d->holds,
			 no ? " - cannot be used: " : "", no ? no : "");
	}
}

/* 1: yes; 0: no; negative errno. */
static int confirm(struct talk *t, const struct disk *d)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	talk_say(t, "\nEverything on %s is destroyed (%s). Type %s to go on, Enter to go back: ",
		 d->path, d->holds, WORD);
	int r = talk_ask(t, &line);
	return r < 0 ? r : str_eq(buf_str(&line), str_of(WORD));
}

static int usable(const struct choose_order *o, const struct disk *list, int n)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += !obstacle(o, &list[i]);
	return count;
}

/* 1: chosen; 0: once more; -ENODATA: nothing was said; other negative errno. */
static int one_round(const struct choose_order *o, struct talk *t, const char *question,
		     struct disk *ret)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct disk list[DISKS_MAX];
	uint32_t pick = 0;
	int n = disks_list(o->root, list);

	if (n < 0)
		return n;
	if (o->first && usable(o, list, n) == 0)
		return -ENODATA;
	show(o, t, list, n);
	talk_say(t, "\n%s", question);
	int r = talk_ask(t, &line);
	if (r < 0)
		return r;
	if (str_ieq(buf_str(&line), STR("q")))
		return -ECANCELED;
	if (line.n == 0)
		return -ENODATA;
	if (str_to_u32(buf_str(&line), (uint32_t)n, &pick) < 0 || pick == 0) {
		talk_say(t, "That is no number of a disk.\n");
		return 0;
	}
	const struct disk *d = &list[pick - 1];
	const char *no = obstacle(o, d);
	if (no) {
		talk_say(t, "%s cannot be used: %s.\n", d->path, no);
		return 0;
	}
	r = confirm(t, d);
	*ret = *d;
	return r;
}

int choose_ask(const struct choose_order *o, struct talk *t, struct disk *ret)
{
	int r;

	do
		r = one_round(
			o, t,
			"Number of the disk to write Tandem to (Enter: look again, q: leave): ",
			ret);
	while (r == 0 || r == -ENODATA);
	return r < 0 ? r : 0;
}

int choose_ask_half(const struct choose_order *o, struct talk *t, struct disk *ret)
{
	int r;

	do
		r = one_round(
			o, t,
			"Number of a second disk, for a mirror of both (Enter: none, q: leave): ",
			ret);
	while (r == 0);
	return r == -ENODATA ? 0 : r;
}

/* ---- by name ---- */

/* What could have been named. */
static void put_names(const struct choose_order *o, const struct disk *list, int n,
		      struct buf *names)
{
	for (int i = 0; i < n; i++)
		if (!obstacle(o, &list[i]))
			buf_printf(names, "%s%s (%.1f GiB)", names->n > 0 ? ", " : "", list[i].path,
				   (double)list[i].bytes / GIB);
	if (names->n == 0)
		buf_putz(names, "a machine with a disk that can be used");
}

static int refuse(struct err *err, const struct disk *d, const char *why)
{
	return err_set(err, ERR_BAD_VALUE, "disk", str_of(d->path), NULL,
		       "nothing is written to %s: %s", d->path, why);
}

static int check(const struct choose_order *o, const struct disk *d, struct err *err)
{
	const char *no = obstacle(o, d);

	if (no && d->bytes < o->bytes)
		return err_set(err, ERR_BAD_VALUE, "disk", str_of(d->path), NULL,
			       "nothing is written to %s: it has %llu MiB, and %llu are needed",
			       d->path, (unsigned long long)(d->bytes / MIB),
			       (unsigned long long)(o->bytes / MIB));
	if (no)
		return refuse(err, d, no);
	if (d->is_tandem && !o->is_overwrite)
		return err_set(err, ERR_CONFLICT, "disk", str_of(d->path),
			       "tandem.overwrite=yes on the kernel's command line, if its calls, "
			       "accounts and keys are to go",
			       "nothing is written to %s: a Tandem system is on it", d->path);
	return 0;
}

static int choose_only(const struct choose_order *o, const struct disk *list, int n,
		       struct disk *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	int found = usable(o, list, n);

	for (int i = 0; i < n; i++)
		if (!obstacle(o, &list[i]))
			*ret = list[i];
	if (found == 1)
		return check(o, ret, err);
	put_names(o, list, n, &names);
	return err_set(err, ERR_BAD_VALUE, "disk", STR("auto"), buf_cstr(&names),
		       found == 0 ? "this machine has no disk that can be used"
				  : "this machine has several disks: name one");
}

/* A test's: a file in place of a disk. */
static bool is_file(const char *path, struct disk *ret)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret = (struct disk){ .bytes = (uint64_t)st.st_size, .holds = "a file" };
	return str_copy(ret->path, sizeof(ret->path), str_of(path)) == 0;
}

int choose_named(const struct choose_order *o, const char *wish, struct disk *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	CLEANUP(free) char *real = realpath(wish, NULL); /* /dev/disk/by-id/... */
	struct disk list[DISKS_MAX];
	int n = disks_list(o->root, list);

	if (n < 0)
		return n;
	if (strcmp(wish, "auto") == 0)
		return choose_only(o, list, n, ret, err);
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i].path, wish) != 0 && (!real || strcmp(list[i].path, real) != 0))
			continue;
		*ret = list[i];
		return check(o, ret, err);
	}
	if (is_file(wish, ret))
		return check(o, ret, err);
	put_names(o, list, n, &names);
	return err_set(err, ERR_NOT_FOUND, "disk", str_of(wish), buf_cstr(&names),
		       "this machine has no such disk");
}
