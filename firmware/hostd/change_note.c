#include "change_note.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "model/answers_file.h"
#include "model/json.h"

#define NOTE    "change.json"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum { NOTE_MAX = 4096, BOOT_MAX = 64 };

int change_path(const char *state, const char *name, struct buf *ret)
{
	buf_clear(ret);
	buf_printf(ret, "%s/%s", state, name);
	return buf_cstr(ret) ? 0 : -ENOMEM;
}

/* Deadlines are of a clock that begins with the machine. */
static int read_boot(struct buf *ret)
{
	int r = file_read(BOOT_ID, BOOT_MAX, ret, NULL);

	return r < 0 ? r : buf_cstr(ret) ? 0 : -ENOMEM;
}

static void take(const json_t *j, struct change_note *ret)
{
	CLEANUP(buf_done) struct buf boot = BUF_INIT;
	struct str then = str_of(json_string_value(json_object_get(j, "boot")));
	struct str by = str_of(json_string_value(json_object_get(j, "by")));

	(void)str_copy(ret->by, sizeof(ret->by), str_head(by, sizeof(ret->by) - 1));
	ret->is_in_force = json_is_true(json_object_get(j, "in_force"));
	if (read_boot(&boot) == 0 && str_eq(str_trim(buf_str(&boot)), str_trim(then)))
		ret->until = json_integer_value(json_object_get(j, "until"));
}

int change_note_read(const char *state, struct change_note *ret)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *j = NULL;
	int r = change_path(state, NOTE, &path);

	if (r == 0)
		r = file_read(path.p, NOTE_MAX, &text, NULL);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	*ret = (struct change_note){ .until = 0 };
	if (r == 0)
		j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(j))
		take(j, ret);
	return 0;
}

int change_note_write(const char *state, const struct change_note *n, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf boot = BUF_INIT;
	CLEANUP(json_decref) json_t *j = NULL;
	CLEANUP(free) char *text = NULL;
	int r = change_path(state, NOTE, &path);

	if (r == 0)
		r = read_boot(&boot);
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), NULL,
			       "the change cannot be noted, so it is not made: %s", strerror(-r));
	j = json_pack("{s:o s:I s:b s:o}", "boot", json_of_text(str_trim(buf_str(&boot))), "until",
		      (json_int_t)n->until, "in_force", n->is_in_force, "by",
		      json_of_text(str_of(n->by)));
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	return text ? file_write(path.p, str_of(text), 0600, true, err) : -ENOMEM;
}

int change_note_forget(const char *state)
{
	/* The note first: without it the others mean nothing. */
	static const char *const names[] = { NOTE, CHANGE_OLD, CHANGE_NEW };
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		r = change_path(state, names[i], &path);
		if (r == 0 && unlink(path.p) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r < 0 ? r : file_sync_folder(state);
}

int change_turn_back(const char *state, struct err *err)
{
	CLEANUP(buf_done) struct buf old = BUF_INIT;
	CLEANUP(buf_done) struct buf new = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = change_path(state, CHANGE_OLD, &old);

	if (r == 0)
		r = change_path(state, CHANGE_NEW, &new);
	if (r == 0)
		r = file_read(old.p, ANSWERS_FILE_MAX, &text, err);
	return r < 0 ? r : file_write(new.p, buf_str(&text), 0600, true, err);
}
