#include "source.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/cleanup.h"
#include "fetch.h"
#include "volume.h"

enum {
	LICENCE_MAX = 64 * 1024,
	VOLUME_MS = 3000,
	FETCH_MS = 30000,
	FETCH_TRIES = 6,
	NAP_MS = 5000
};

static const struct place here = { "" };

struct str source_of_command_line(struct str line)
{
	struct str word, found = { 0 };

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '"')
			return found; /* a quoted word: not one of ours */
	}
	while (str_split(&line, ' ', &word)) {
		if (str_has_prefix(word, STR("tandem.answers=")))
			found = str_trim(str_skip(word, STR("tandem.answers=").n));
	}
	return found;
}

/* --- keeping --- */

static int keep(const struct setup *s, const char *path, struct str text, struct err *err)
{
	int r = place_make_dir(&s->place, SETUP_DIR, 0700);

	if (r == 0)
		r = place_write(&s->place, path, 0600, text);
	return r < 0 ? SETUP_FAIL(err, r, "cannot write %s%s", s->place.root, path) : 0;
}

/* From a relative path beside the answers, or a full one. */
static int keep_licence(struct setup *s, struct str folder, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str given = answers_str(s->answers, ANSWER_LICENCE);

	if (str_is_empty(given) || str_eq(given, STR(SETUP_LICENCE)))
		return 0;
	if (given.p[0] != '/')
		buf_printf(&path, "%.*s/", STR_ARG(folder));
	buf_put(&path, given);
	int r = buf_cstr(&path) ? place_read(&here, path.p, LICENCE_MAX, &text) : -ENOMEM;
	if (r < 0) {
		(void)err_set(err, ERR_NOT_FOUND, "licence", given,
			      "a file beside tandem.conf, or its full path",
			      "the licence cannot be read: %s", strerror(-r));
		return r;
	}
	r = keep(s, SETUP_LICENCE, buf_str(&text), err);
	return r < 0 ? r : answers_set(s->answers, ANSWER_LICENCE, STR(SETUP_LICENCE), 0, err);
}

static int keep_answers(struct setup *s, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	answers_print(s->answers, false, &text);
	if (buf_error(&text) < 0)
		return -ENOMEM;
	return keep(s, SETUP_ANSWERS, buf_str(&text), err);
}

static int take(struct setup *s, struct str text, struct str folder, struct answers_report *report,
		struct err *err)
{
	int r = answers_parse(s->answers, text, report);

	if (r == 0)
		r = answers_check_able(s->answers, report);
	if (r == 0)
		r = keep_licence(s, folder, err);
	return r < 0 ? r : keep_answers(s, err);
}

/* --- the places --- */

/* folder/name, or name alone if folder is empty. */
static int from_file(struct setup *s, struct str folder, struct str name,
		     struct answers_report *report, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (folder.n > 0)
		buf_printf(&path, "%.*s/", STR_ARG(folder));
	buf_put(&path, name);
	int r = buf_cstr(&path) ? place_read(&here, path.p, ANSWERS_FILE_MAX, &text) : -ENOMEM;
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot read %s", path.p ? path.p : "the answers");
	char *slash = strrchr(path.p, '/');
	struct str beside = slash ? str_n(path.p, (size_t)(slash - path.p)) : STR(".");
	return take(s, buf_str(&text), beside, report, err);
}

static int from_volume(struct setup *s, struct str label, struct str path,
		       struct answers_report *report, struct err *err)
{
	CLEANUP(volume_close) struct volume *v = NULL;

	int r = volume_open(&v, label, VOLUME_MS);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return SETUP_FAIL(err, r, "the volume %.*s cannot be mounted", STR_ARG(label));
	tell_say(&s->tell, TELL_STEP, "reading %.*s from the volume %.*s", STR_ARG(path),
		 STR_ARG(label));
	return from_file(s, str_of(volume_path(v)), path, report, err);
}

/* Will it be otherwise when the network is up? */
static bool may_pass(int r)
{
	return r == -EHOSTUNREACH || r == -ENETUNREACH || r == -ECONNREFUSED || r == -ETIMEDOUT;
}

static int from_url(struct setup *s, struct str url, struct answers_report *report, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = -ETIMEDOUT;

	tell_say(&s->tell, TELL_STEP, "fetching %.*s", STR_ARG(url));
	/* The network may still be coming up. */
	for (int i = 0; i < FETCH_TRIES && may_pass(r); i++) {
		*err = ERR_INIT;
		if (i > 0)
			(void)poll(NULL, 0, NAP_MS);
		r = fetch_url(url, ANSWERS_FILE_MAX, FETCH_MS, &text, err);
	}
	return r < 0 ? r : take(s, buf_str(&text), STR(""), report, err);
}

/* http://..., or label:NAME/path. */
static int from_command_line(struct setup *s, struct str value, struct answers_report *report,
			     struct err *err)
{
	struct str rest = str_skip(value, STR("label:").n), label;

	if (!str_has_prefix(value, STR("label:")))
		return from_url(s, value, report, err);
	if (str_chr(rest, '/') < 0 || str_find(rest, STR("..")) >= 0 ||
	    !str_split(&rest, '/', &label))
		return err_set(err, ERR_BAD_VALUE, "tandem.answers", value,
			       "http://host/path or label:NAME/path",
			       "the kernel command line names no answers");
	int r = from_volume(s, label, rest, report, err);
	if (r == -ENOENT)
		return SETUP_FAIL(err, -ENODEV, "there is no volume %.*s", STR_ARG(label));
	return r;
}

int source_load(struct setup *s, const char *file, struct buf *name, struct answers_report *report,
		struct err *err)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	*report = (struct answers_report){ 0 };
	if (file) {
		buf_putz(name, file);
		if (str_has_prefix(str_of(file), STR("http://")))
			return from_url(s, str_of(file), report, err);
		return from_file(s, STR(""), str_of(file), report, err);
	}
	if (place_is_machine(&s->place)) {
		(void)place_read(&here, "/proc/cmdline", 8192, &line);
		struct str value = source_of_command_line(buf_str(&line));

		if (value.n > 0) {
			buf_put(name, value);
			return from_command_line(s, value, report, err);
		}
		int r = from_volume(s, STR(SOURCE_LABEL), STR("tandem.conf"), report, err);
		if (r != -ENOENT) {
			buf_putz(name, "volume " SOURCE_LABEL);
			return r;
		}
	}
	if (!place_has(&s->place, SETUP_ANSWERS))
		return -ENOENT;
	buf_putz(name, "an interrupted set-up");
	CLEANUP(free) char *kept = place_path(&s->place, SETUP_ANSWERS);
	return kept ? from_file(s, STR(""), str_of(kept), report, err) : -ENOMEM;
}
