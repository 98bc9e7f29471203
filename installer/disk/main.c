/*
 * switch-install: writes Tandem's image to a disk (docs/man/switch-install.8).
 *
 * It runs from the installer's medium or from the network, where /usr/libexec/tandem/install has found the image and the answers
 * (tandem.conf). With a disk named it asks nothing; what is in the way is then said, with what would be accepted. Without one a
 * person chooses, on the screen or on the serial line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "choose.h"
#include "halves.h"
#include "image.h"
#include "keep.h"
#include "options.h"
#include "talk.h"

enum { DONE, FAILED, REFUSED, LEFT, SUM_FILE = 4096, TOLD_PERCENT = 10 };

struct run {
	struct options options;
	struct talk talk;
	struct kept kept;
	struct image *image;
	struct disk disk;  /* that is written to: the chosen one, or the mirror of both */
	struct disk first; /* that was chosen */
	struct disk other; /* path "": no mirror */
	bool is_named;     /* no person chose it */
	const char *step;
};

static int complain(struct run *r, int e, const struct err *err)
{
	if (err_is_set(err))
		talk_say(&r->talk, "switch-install: %s%s%s%s\n", err->message,
			 err->given[0] ? " (given: " : "", err->given, err->given[0] ? ")" : "");
	else
		talk_say(&r->talk, "switch-install: %s\n", strerror(-e));
	if (err->accepted[0])
		talk_say(&r->talk, "                accepted: %s\n", err->accepted);
	return e == -EINVAL ? REFUSED : FAILED;
}

static void on_progress(void *ctx, const char *step, int percent)
{
	struct run *r = ctx;

	if (step != r->step)
		talk_say(&r->talk, "%s %s:", r->step ? "\n" : "", step);
	r->step = step;
	if (percent % TOLD_PERCENT == 0)
		talk_say(&r->talk, " %d %%", percent);
}

/* ---- before anything is written ---- */

static int read_sum(const char *path, unsigned char sum[IMAGE_SHA256], struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = file_read(path, SUM_FILE, &text, err);

	if (r == 0 && str_hex(str_head(buf_str(&text), IMAGE_SHA256 * 2), sum, IMAGE_SHA256) < 0)
		r = err_set(err, ERR_BAD_VALUE, "--sha256", str_of(path),
			    "what sha256sum prints of tandem.img.zst", "there is no SHA-256 in it");
	return r;
}

static int open_image(struct run *r, struct err *err)
{
	struct image_order o = { .in = STDIN_FILENO, .on_progress = on_progress, .ctx = r };
	const char *path = r->options.image;
	int e = read_sum(r->options.sha256, o.sha256, err);

	if (e == 0 && strcmp(path, "-") != 0)
		o.in = open(path, O_RDONLY | O_CLOEXEC);
	if (e == 0 && o.in < 0)
		e = err_set(err, ERR_NOT_FOUND, "--image", str_of(path), "tandem.img.zst",
			    "the image cannot be opened: %s", strerror(errno));
	return e == 0 ? image_open(&r->image, &o, err) : e;
}

static int read_answers(struct run *r, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct answers_report report;

	if (!r->options.answers)
		return 0;
	int e = keep_read(&r->kept, r->options.answers, &report, err);
	if (e == 0 && !r->options.disk && answers_is_set(r->kept.answers, ANSWER_DISK))
		r->options.disk = answers_str(r->kept.answers, ANSWER_DISK).p;
	if (e == 0 && !r->options.mirror && answers_is_set(r->kept.answers, ANSWER_MIRROR))
		r->options.mirror = answers_str(r->kept.answers, ANSWER_MIRROR).p;
	if (e == -EINVAL && report.count > 0) {
		answers_report_print(&report, &text);
		talk_say(&r->talk, "%.*s", STR_ARG(buf_str(&text)));
		(void)err_set(err, ERR_BAD_VALUE, "", str_of(r->options.answers), NULL,
			      "the answers are refused; nothing was written");
	}
	return e;
}

static int choose(struct run *r, struct err *err)
{
	struct choose_order o = { .root = "",
				  .bytes = image_bytes(r->image),
				  .is_overwrite = r->options.is_overwrite };
	int e;

	r->is_named = r->options.disk != NULL;
	if (r->is_named)
		e = choose_named(&o, r->options.disk, &r->first, err);
	else
		e = choose_ask(&o, &r->talk, &r->first);
	o.first = &r->first;
	if (e == 0 && r->options.mirror)
		e = choose_named(&o, r->options.mirror, &r->other, err);
	else if (e == 0 && !r->is_named)
		e = choose_ask_half(&o, &r->talk, &r->other);
	r->disk = r->first;
	return e < 0 ? e : 0;
}

/* ---- the disk ---- */

static bool is_mirror(const struct run *r)
{
	return r->other.path[0] != '\0';
}

static void say_where(struct run *r, const char *what, const char *end)
{
	talk_say(&r->talk, "%s %s%s%s%s", what, r->first.path, is_mirror(r) ? " and " : "",
		 r->other.path, end);
}

/* O_EXCL: nobody has it mounted, and nobody will while it is written. */
static int write_disk(struct run *r, struct err *err)
{
	CLEANUP(close) int fd = open(r->disk.path, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_STORE, "disk", str_of(r->disk.path), NULL,
			       "the disk cannot be opened: %s", strerror(errno));
	say_where(r, "\nTandem " TANDEM_VERSION " to", "\n");
	int e = image_write(r->image, fd, r->disk.bytes, err);
	talk_say(&r->talk, "\n");
	if (e < 0)
		say_where(r, "There is no system any more on",
			  ": the table of partitions is gone.\n");
	return e;
}

static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

static int write_and_keep(struct run *r, struct err *err)
{
	struct err more = ERR_INIT;
	int e = write_disk(r, err);

	if (e == 0 && r->kept.answers && is_device(r->disk.path))
		e = keep_write(&r->kept, r->disk.path, err);
	/* Also after a failure: both can then be chosen again. */
	int closed = is_mirror(r) ? halves_part(&r->disk, e == 0 ? err : &more) : 0;
	return e < 0 ? e : closed;
}

static int install(struct run *r, struct err *err)
{
	int e = read_answers(r, err);

	if (e == 0)
		e = open_image(r, err);
	if (e == 0)
		e = choose(r, err);
	if (e == 0 && is_mirror(r))
		e = halves_join(&r->first, &r->other, &r->disk, err);
	if (e == 0)
		e = write_and_keep(r, err);
	if (e == 0)
		say_where(r, "Tandem " TANDEM_VERSION " is on", ".\n");
	return e;
}

static int wait_for_enter(struct run *r)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	return talk_ask(&r->talk, &line);
}

static void open_lines(struct run *r)
{
	for (int i = 0; i < r->options.lines; i++)
		(void)talk_open(&r->talk, r->options.line[i]);
	if (r->options.lines == 0)
		talk_use_stdio(&r->talk);
}

int main(int argc, char **argv)
{
	struct run run = { .talk = talk_none() };
	struct err err = ERR_INIT;
	int e = options_parse(&run.options, argc, argv, &err);

	if (e == 1)
		return DONE;
	open_lines(&run);
	if (e == 0 && run.options.is_wait)
		e = wait_for_enter(&run);
	else if (e == 0)
		e = install(&run, &err);
	int status = e == 0 ? DONE : e == -ECANCELED ? LEFT : complain(&run, e, &err);
	run.image = image_free(run.image);
	keep_done(&run.kept);
	talk_done(&run.talk);
	return status;
}
