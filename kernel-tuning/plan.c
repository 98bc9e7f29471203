#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "before.h"
#include "device.h"
#include "knobs/knob.h"
#include "knobs/setting.h"
#include "knobs/uplinks.h"
#include "load.h"

#define SYSCTL  "proc/sys/"
#define NETWORK "etc/sysconfig/network-scripts"

struct row {
	char path[KNOB_PATH]; /* below the root */
	char *wanted, *why;
	const char *source;
	enum device_rule rule;
	bool is_least, is_optional;
	char *was; /* NULL: not known */
	char *now;
	enum plan_state state;
	int error; /* negative errno of a refusal */
};

struct plan {
	int root;
	struct before *before;
	const char *media; /* a loan while it is made */
	int uplinks;
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

	if (!r->is_least)
		return device_is_right(r->rule, r->wanted, r->now);
	return str_to_u64(str_of(r->wanted), UINT64_MAX, &least) == 0 &&
	       str_to_u64(str_of(r->now), UINT64_MAX, &now) == 0 && now >= least;
}

/* 0 or -ENOMEM: that a value cannot be read is a state of its row. */
static int look(const struct plan *p, struct row *r)
{
	char *now = NULL;
	int e = knob_read(p->root, r->path, &now);

	if (e == -ENOMEM)
		return e;
	if (e < 0) {
		r->state = e == -ENOENT ? PLAN_MISSING : r->is_optional ? PLAN_KEPT : PLAN_REFUSED;
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

/* Takes made->wanted and made->why, also when it fails. */
static int add_row(struct plan *p, struct row *made, const char *folder, const char *path)
{
	struct buf full = buf_fixed(made->path, sizeof(made->path));
	int e = made->wanted && made->why ? make_room(p) : -ENOMEM;

	buf_printf(&full, "%s%s", folder, path);
	if (e == 0 && buf_error(&full))
		e = -ENAMETOOLONG;
	if (e < 0) {
		free(made->wanted);
		free(made->why);
		return e;
	}
	p->row[p->rows] = *made;
	return look(p, &p->row[p->rows++]);
}

static const char *value_of(const struct plan *p, const struct setting *s)
{
	if (strcmp(s->value, SETTING_MEDIA) == 0)
		return p->media;
	return strcmp(s->value, SETTING_UPLINKS) == 0 ? uplinks_rp_filter(p->uplinks) : s->value;
}

static int add_setting(void *ctx, const char *path)
{
	const struct filling *f = ctx;
	const struct setting *s = f->setting;
	struct row row = { .wanted = str_dup(str_of(value_of(f->plan, s))),
			   .why = str_dup(str_of(s->why)),
			   .source = s->source,
			   .is_least = s->is_least };

	return add_row(f->plan, &row, SYSCTL, path);
}

static int add_wish(void *ctx, const struct wish *w)
{
	struct row row = { .wanted = str_dup(str_of(w->value)),
			   .why = str_dup(str_of(w->why)),
			   .source = "this machine",
			   .rule = w->rule,
			   .is_optional = w->is_optional };

	return add_row(ctx, &row, "", w->path);
}

static int by_path(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return strcmp(one->path, other->path);
}

static int fill(struct plan *p, int sysctls, uint32_t lines)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < settings_count; i++) {
		struct filling f = { .plan = p, .setting = &settings[i] };

		e = knob_each(sysctls, str_of(settings[i].key), add_setting, &f);
	}
	if (e == 0)
		e = device_each(p->root, lines, add_wish, p);
	if (e == 0 && p->rows)
		qsort(p->row, p->rows, sizeof(*p->row), by_path);
	return e;
}

static int open_below(const char *root, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s", root, name);
	if (buf_error(&path))
		return -ENOMEM;

	int fd = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_NOT_FOUND, "--root", buf_str(&path),
			       "a folder with proc/sys in it", "cannot open it: %s",
			       strerror(errno));
	return fd;
}

int plan_create(struct plan **ret, const char *root, const char *media, uint32_t lines,
		struct err *err)
{
	CLEANUP(close) int sysctls = open_below(root, SYSCTL, err);
	CLEANUP(plan_free) struct plan *p = calloc(1, sizeof(*p));
	int e;

	if (!p)
		return -ENOMEM;
	p->media = media;
	p->root = -1;
	if (sysctls < 0)
		return sysctls;
	p->root = open_below(root, "", err);
	if (p->root < 0)
		return p->root;

	CLEANUP(close) int network = openat(p->root, NETWORK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	p->uplinks = uplinks_count(network);
	e = before_open(&p->before, p->root);
	if (e == 0)
		e = fill(p, sysctls, lines);
	if (e < 0)
		return e;
	*ret = TAKE(p);
	return 0;
}

static void row_done(struct row *r)
{
	free(r->wanted);
	free(r->why);
	free(r->was);
	free(r->now);
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->rows; i++)
		row_done(&p->row[i]);
	free(p->row);
	(void)before_close(p->before);
	if (p->root >= 0)
		(void)close(p->root);
	free(p);
	return NULL;
}

/* --- the way there, and back --- */

/* Of "always [madvise] never" the word that is in force: so it can be written. */
static struct str in_force(const struct row *r)
{
	struct str now = str_of(r->now), word;

	while (r->rule == DEVICE_CHOICE && str_split(&now, ' ', &word)) {
		if (word.n > 2 && word.p[0] == '[')
			return str_n(word.p + 1, word.n - 2);
	}
	return str_of(r->now);
}

/* to: a loan. Into the states CHANGED, DIFFERS, KEPT or REFUSED. */
static int turn(const struct plan *p, struct row *r, const char *to)
{
	r->was = str_dup(in_force(r));
	if (!r->was)
		return -ENOMEM;

	int e = knob_write(p->root, r->path, to);

	if (e < 0) {
		r->state = r->is_optional ? PLAN_KEPT : PLAN_REFUSED;
		r->error = e;
		return 0;
	}
	e = look(p, r);
	if (e == 0 && (r->state == PLAN_RIGHT || to != r->wanted))
		r->state = PLAN_CHANGED;
	return e;
}

int plan_apply(struct plan *p, bool is_dry)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < p->rows; i++) {
		struct row *r = &p->row[i];

		if (r->state != PLAN_DIFFERS)
			continue;
		if (is_dry) {
			r->state = PLAN_WOULD;
			continue;
		}
		e = turn(p, r, r->wanted);
		if (e == 0 && r->state == PLAN_CHANGED)
			e = before_note(p->before, r->path, r->was);
	}
	if (e < 0 || is_dry)
		return e;
	e = before_note_lost(p->before);
	return e < 0 ? e : before_save(p->before);
}

static int turn_back(const struct plan *p, struct row *r, struct str value, bool is_dry)
{
	CLEANUP(free) char *to = str_dup(value);

	if (!to)
		return -ENOMEM;
	if (str_eq(in_force(r), value))
		return 0;
	if (!is_dry)
		return turn(p, r, to);
	r->state = PLAN_WOULD;
	return 0;
}

int plan_revert(struct plan *p, bool is_dry)
{
	struct str value;
	int e = 0;

	for (size_t i = 0; e == 0 && i < p->rows; i++) {
		struct row *r = &p->row[i];

		if (r->now && before_value(p->before, r->path, &value))
			e = turn_back(p, r, value, is_dry);
	}
	return e < 0 || is_dry ? e : before_forget(p->before);
}

static int add_count(struct plan *p, const char *what, const char *why, uint64_t wanted,
		     uint64_t now)
{
	struct buf text = BUF_INIT;
	struct row row = { .source = "features.md 16", .state = PLAN_RIGHT };
	int e = make_room(p);

	if (e < 0 || str_copy(row.path, sizeof(row.path), str_of(what)) < 0)
		return e < 0 ? e : -ENAMETOOLONG;
	buf_printf(&text, "%llu", (unsigned long long)wanted);
	row.wanted = buf_steal(&text);
	buf_printf(&text, "%llu", (unsigned long long)now);
	row.now = buf_steal(&text);
	row.why = str_dup(str_of(why));
	row.state = now != wanted ? PLAN_LOST : PLAN_RIGHT;
	if (!row.wanted || !row.now || !row.why) {
		row_done(&row);
		return -ENOMEM;
	}
	p->row[p->rows++] = row;
	return 0;
}

static int add_lost(void *ctx, const char *what, uint64_t since, uint64_t now)
{
	return add_count(ctx, what,
			 "Each is a packet that came and was dropped: since the settings were "
			 "applied there should be none",
			 since, now > since ? now : since);
}

enum { PACKETS_OF_CALL = 100 }; /* a second: two directions of 20 ms */

int plan_load(struct plan *p, uint32_t lines, uint32_t seconds)
{
	uint64_t rate = (uint64_t)lines * PACKETS_OF_CALL;
	struct load l;
	int e = load_run(rate < LOAD_RATE_MAX ? (uint32_t)rate : LOAD_RATE_MAX, seconds, &l);

	return e < 0 ? e
		     : add_count(p, "test load, packets that arrived",
				 "As many as the expected calls would send, over the loopback "
				 "interface: all of them should arrive",
				 l.sent, l.received);
}

int plan_count_lost(struct plan *p)
{
	return before_each_lost(p->before, add_lost, p);
}

/* --- what is said --- */

size_t plan_count(const struct plan *p, enum plan_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < p->rows; i++)
		n += p->row[i].state == state;
	return n;
}

/* As sysctl(8) writes it: an interface's dot becomes a slash where the others become dots. Any other
 * file is named as it is. */
static void put_key(char *key, const char *path)
{
	size_t n = strlen(SYSCTL);

	if (strncmp(path, SYSCTL, n) != 0) {
		(void)str_copy(key, KNOB_PATH, str_of(path));
		return;
	}
	path += n;
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
	char key[KNOB_PATH];

	put_key(key, r->path);
	return json_pack(
		"{s:s, s:s, s:b, s:o, s:o, s:s, s:o, s:s, s:s}", "key", key, "wanted", r->wanted,
		"or_more", r->is_least || r->rule == DEVICE_TRIPLE, "was", text_or_null(r->was),
		"now", text_or_null(r->now), "state", state_names[r->state], "error",
		r->state == PLAN_REFUSED || r->state == PLAN_KEPT ? json_string(strerror(-r->error))
								  : json_null(),
		"why", r->why, "source", r->source);
}

static bool is_fault(const struct row *r)
{
	return r->state == PLAN_DIFFERS || r->state == PLAN_REFUSED || r->state == PLAN_MISSING ||
	       r->state == PLAN_LOST;
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
