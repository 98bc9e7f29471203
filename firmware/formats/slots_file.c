#include "formats/slots_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "formats/bootline.h"
#include "model/json.h"

enum { NOTES_MAX = 65536 };

static const char *const letters[SLOTS_COUNT] = { "A", "B" };

int slots_running(void)
{
	struct bootline b;
	int r = bootline_read(&b);

	return r < 0 ? r : slots_index(b.slot);
}

/* ---- the environment block ---- */

int slots_load(const char *path, struct slots *ret)
{
	CLEANUP(buf_done) struct buf block = BUF_INIT;

	int r = file_read(path, SLOTS_BLOCK, &block, NULL);
	return r < 0 ? r : slots_parse(ret, buf_str(&block));
}

static int overwrite(const char *path, const char block[SLOTS_BLOCK])
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ssize_t n = pwrite(fd, block, SLOTS_BLOCK, 0);
	if (n < 0)
		return -errno;
	if (n != SLOTS_BLOCK)
		return -EIO;
	/* Longer is as useless to the boot loader as shorter. */
	if (lseek(fd, 0, SEEK_END) != SLOTS_BLOCK && ftruncate(fd, SLOTS_BLOCK) < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int slots_store(const char *path, const struct slots *s)
{
	CLEANUP(buf_done) struct buf back = BUF_INIT;
	char block[SLOTS_BLOCK];

	slots_print(s, block);
	int r = overwrite(path, block);
	if (r == 0)
		r = file_read(path, SLOTS_BLOCK, &back, NULL);
	if (r < 0)
		return r;
	return str_eq(buf_str(&back), str_n(block, SLOTS_BLOCK)) ? 0 : -EIO;
}

/* ---- notes ---- */

static void read_note(struct slot_note *ret, const json_t *j)
{
	const json_t *version = json_object_get(j, "version");
	struct str s = str_n(json_string_value(version), json_string_length(version));

	*ret = (struct slot_note){ 0 };
	if (s.n == 0 || str_has_control(s) || str_copy(ret->version, sizeof(ret->version), s) < 0) {
		ret->version[0] = '\0';
		return;
	}
	ret->built = json_integer_value(json_object_get(j, "built"));
	ret->installed = json_integer_value(json_object_get(j, "installed"));
	ret->is_trial = json_is_true(json_object_get(j, "trial"));
}

/* A new reference, or NULL. */
static json_t *read_object(const char *path, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (file_read(path, NOTES_MAX, &text, err) < 0)
		return NULL;
	return json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
}

int slot_notes_read(const char *path, struct slot_note ret[SLOTS_COUNT])
{
	CLEANUP(json_decref) json_t *j = read_object(path, NULL);

	for (int i = 0; i < SLOTS_COUNT; i++)
		read_note(&ret[i], json_object_get(j, letters[i]));
	return 0;
}

int slot_notes_write(const char *path, const struct slot_note note[SLOTS_COUNT], struct err *err)
{
	CLEANUP(json_decref) json_t *j = json_object();
	int r = j ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < SLOTS_COUNT; i++)
		r = json_object_set_new(j, letters[i],
					json_pack("{s:s s:I s:I s:b}", "version", note[i].version,
						  "built", (json_int_t)note[i].built, "installed",
						  (json_int_t)note[i].installed, "trial",
						  note[i].is_trial));
	if (r < 0)
		return -ENOMEM;

	CLEANUP(free) char *text = json_dumps(j, JSON_INDENT(2));
	return text ? file_write(path, str_of(text), 0644, true, err) : -ENOMEM;
}

int slot_image_read(const char *path, struct slot_note *ret, struct err *err)
{
	CLEANUP(json_decref) json_t *j = read_object(path, err);

	read_note(ret, j);
	if (ret->version[0] && ret->built > 0)
		return 0;
	(void)err_set(err, ERR_STORE, "", str_of(path), NULL,
		      "the image does not say which version it is");
	return -EINVAL;
}
