#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "knob.h"
#include "setting.h"

struct row {
	const struct setting *setting;
	const char *wanted; /* loan */
	char path[KNOB_PATH];
	char *was; /* NULL: not known */
	char *now;
	enum plan_state state;
	int error; /* negative errno of a refusal */
};

struct plan {
	int folder; /* ROOT/proc/sys */
	const char *media;
	struct row *row;
	size_t rows, room;
};

struct filling {
	struct plan *plan;
	const struct setting *setting;
};

static const char *const state_names[] = {
#define STATE_NAME(name, text) text,
	PLAN_STATES(STATE_NAME)
#undef STATE_NAME
};

/* --- what is there --- */

static bool is_right(const struct row *r)
{
	uint64_t least, now;

	if (!r->setting->is_least)
		return strcmp(r->now, r->wanted) == 0;
	return str_to_u64(str_of(r->wanted), UINT64_MAX, &least) == 0 &&
	       str_to_u64(str_of(r->now), UINT64_MAX, &now) == 0 && now >= least;
}

/* 0 or -ENOMEM: that a value cannot be read is a state of its row. */
static int look(const struct plan *p, struct row *r)
{
	char *now = NULL;
	int e = knob_read(p->folder, r->path, &now);

	if (e == -ENOMEM)
		return e;
	if (e < 0) {
		r->state = e == -ENOENT ? PLAN_MISSING : PLAN_REFUSED;
		r->error = e;
		return 0;
	}
	free(r->now);
	r->now = now;
	r->state = is_right(r) ? PLAN_RIGHT : PLAN_DIFFERS;
	return 0;
}

static int make_room(struct plan *p)
{
	if (p->rows < p->room)
		return 0;

	size_t room = p->room ? p->room * 2 : 64;
	struct row *more = reallocarray(p->row, room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->row = more;
	p->room = room;
	return 0;
}

static int add_row(void *ctx, const char *path)
{
	struct filling *f = ctx;
	struct plan *p = f->plan;
	int e = make_room(p);

	if (e < 0)
		return e;

	struct row *r = &p->row[p->rows];

	*r = (struct row){ .setting = f->setting, .wanted = f->setting->value };
	if (strcmp(r->wanted, SETTING_MEDIA) == 0)
		r->wanted = p->media;
	if (str_copy(r->path, sizeof(r->path), str_of(path)) < 0)
		return -ENAMETOOLONG;
	p->rows++;
	return look(p, r);
}

static int by_path(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return strcmp(one->path, other->path);
}

static int fill(struct plan *p)
{
	for (size_t i = 0; i < settings_count; i++) {
		struct filling f = { .plan = p, .setting = &settings[i] };
		int e = knob_each(p->folder, str_of(settings[i].key), add_row, &f);

		if (e < 0)
			return e;
	}
	if (p->rows)
		qsort(p->row, p->rows, sizeof(*p->row), by_path);
	return 0;
}

static int open_proc(const char *root, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/proc/sys", root);
	if (buf_error(&path))
		return -ENOMEM;

	int fd = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_NOT_FOUND, "--root", buf_str(&path),
			       "a folder with proc/sys in it", "cannot open it: %s",
			       strerror(errno));
	return fd;
}

int plan_create(struct plan **ret, const char *root, const char *media, struct err *err)
{
	CLEANUP(plan_free) struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->media = media;
	p->folder = open_proc(root, err);

	int e = p->folder < 0 ? p->folder : fill(p);

	if (e < 0)
		return e;
	*ret = TAKE(p);
	return 0;
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->rows; i++) {
		free(p->row[i].was);
		free(p->row[i].now);
	}
	free(p->row);
	if (p->folder >= 0)
		(void)close(p->folder);
	free(p);
	return NULL;
}

/* --- the way there --- */

static int turn(const struct plan *p, struct row *r)
{
	r->was = str_dup(str_of(r->now));
	if (!r->was)
		return -ENOMEM;

	int e = knob_write(p->folder, r->path, r->wanted);

	if (e < 0) {
		r->state = PLAN_REFUSED;
		r->error = e;
		return 0;
	}
	e = look(p, r);
	if (r->state == PLAN_RIGHT)
		r->state = PLAN_CHANGED;
	return e;
}

int plan_apply(struct plan *p, bool is_dry)
{
	for (size_t i = 0; i < p->rows; i++) {
		struct row *r = &p->row[i];
		int e = 0;

		if (r->state != PLAN_DIFFERS)
			continue;
		if (is_dry)
			r->state = PLAN_WOULD;
		else
			e = turn(p, r);
		if (e < 0)
			return e;
	}
	return 0;
}

/* --- what is said --- */

size_t plan_count(const struct plan *p, enum plan_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < p->rows; i++)
		n += p->row[i].state == state;
	return n;
}

/* As sysctl(8) writes it: an interface's dot becomes a slash where the others become dots. */
static void put_key(char *key, const char *path)
{
	for (; *path; path++)
		*key++ = *path == '/' ? '.' : *path == '.' ? '/' : *path;
	*key = '\0';
}

static json_t *text_or_null(const char *z)
{
	return z ? json_string(z) : json_null();
}

static json_t *row_json(const struct row *r)
{
	const struct setting *s = r->setting;
	char key[KNOB_PATH];

	put_key(key, r->path);
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:s, s:o, s:s, s:s}", "key", key, "wanted",
			 r->wanted, "or_more", s->is_least, "was", text_or_null(r->was), "now",
			 text_or_null(r->now), "state", state_names[r->state], "error",
			 r->state == PLAN_REFUSED ? json_string(strerror(-r->error)) : json_null(),
			 "why", s->why, "source", s->source);
}

static bool is_fault(const struct row *r)
{
	return r->state == PLAN_DIFFERS || r->state == PLAN_REFUSED || r->state == PLAN_MISSING;
}

json_t *plan_json(const struct plan *p, bool faults_only)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < p->rows; i++) {
		if (faults_only && !is_fault(&p->row[i]))
			continue;
		if (json_array_append_new(rows, row_json(&p->row[i])) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}
