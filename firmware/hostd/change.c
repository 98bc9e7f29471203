#include "change.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/log.h"
#include "change_note.h"
#include "control/args.h"
#include "model/answers_file.h"
#include "model/json.h"

#define UNIT "tandem-change.service"

enum { RETRY_MS = 5000 };

/*
 *	none -> applying -> waiting -> none             confirmed
 *	           |           |
 *	           +-----------+-> undoing -> none      too late, undone, or it could not be applied
 */
#define STATES(X)                                       \
	X(NONE, "in force")                             \
	X(APPLYING, "being brought into force")         \
	X(WAITING, "in force, waiting to be confirmed") \
	X(UNDOING, "being undone")

enum state {
#define STATE_ENUM(id, text) STATE_##id,
	STATES(STATE_ENUM)
#undef STATE_ENUM
};

static const char *const state_names[] = {
#define STATE_NAME(id, text) text,
	STATES(STATE_NAME)
#undef STATE_NAME
};

/* What may be changed: what can cut an operator off, and what the firewall is made of. */
static const enum answer keys[] = {
	ANSWER_INTERFACE, ANSWER_IPV4,         ANSWER_IPV6,        ANSWER_GATEWAY,
	ANSWER_DNS,       ANSWER_SSH_PORT,     ANSWER_SSH_FROM,    ANSWER_ADMIN_HOSTS,
	ANSWER_SIP_PORT,  ANSWER_SIP_TLS_PORT, ANSWER_MEDIA_PORTS, ANSWER_API_PORT,
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

struct change {
	enum state state;
	struct change_note note;
	pid_t child; /* that brings it into force; 0: none */
	sd_event_source *end;
	bool is_to_undo; /* as soon as the child has ended */
	ms_t retry_at;   /* of an undoing that failed */
};

static void begin_undo(struct host *h, const char *why);

/* ---- bringing into force ---- */

static int on_end(sd_event_source *s, const siginfo_t *info, void *ctx);

static int spawn(const struct host *h, const char *file, pid_t *ret)
{
	const char *const ours[] = { h->options.apply, "--change", file, NULL };
	const char *const usual[] = { "/usr/bin/systemctl", "restart", UNIT, NULL };
	const char *const *argv = h->options.apply ? ours : usual;
	posix_spawnattr_t attr;
	sigset_t none;
	int r = posix_spawnattr_init(&attr);

	if (r != 0)
		return -r;
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(ret, argv[0], NULL, &attr, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	return -r;
}

static int apply(struct host *h)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct change *c = h->change;
	int r = change_path(h->options.state, CHANGE_NEW, &path);

	c->end = sd_event_source_disable_unref(c->end);
	if (r == 0)
		r = spawn(h, path.p, &c->child);
	if (r == 0)
		r = sd_event_add_child(h->event, &c->end, c->child, WEXITED, on_end, h);
	return r < 0 ? r : 0;
}

static void forget(struct host *h, const char *what)
{
	struct change *c = h->change;
	int r = change_note_forget(h->options.state);

	c->state = STATE_NONE;
	if (r < 0)
		log_at(LOG_ERR, NULL, "what is kept of a change cannot be removed: %s",
		       strerror(-r));
	log_at(LOG_NOTICE, NULL, "change of the machine's network and ports: %s", what);
}

static void retry_later(struct host *h, const char *why)
{
	log_at(LOG_ERR, NULL, "a change could not be undone: %s; it is tried again", why);
	h->change->retry_at = clock_mono_ms() + RETRY_MS;
}

static void on_applied(struct host *h, bool is_well)
{
	struct change *c = h->change;
	struct err err = ERR_INIT;

	if (c->state == STATE_UNDOING) {
		if (is_well)
			forget(h, "undone, all is as it was");
		else
			retry_later(h, "switch-setup failed");
		return;
	}
	if (!is_well || c->is_to_undo) {
		begin_undo(h, is_well ? "it was not confirmed" : "it could not be applied");
		return;
	}
	c->state = STATE_WAITING;
	c->note.is_in_force = true;
	if (change_note_write(h->options.state, &c->note, &err) < 0)
		begin_undo(h, err.message);
}

static int on_end(sd_event_source *s, const siginfo_t *info, void *ctx)
{
	struct host *h = ctx;

	(void)s;
	h->change->child = 0;
	on_applied(h, info->si_code == CLD_EXITED && info->si_status == 0);
	return 0;
}

static void begin_undo(struct host *h, const char *why)
{
	struct change *c = h->change;
	struct err err = ERR_INIT;

	c->is_to_undo = true;
	if (c->child > 0) { /* on_applied comes back here */
		(void)kill(c->child, SIGTERM);
		return;
	}
	if (c->state != STATE_UNDOING)
		log_at(LOG_WARNING, NULL, "change by %s is undone: %s", c->note.by, why);
	c->state = STATE_UNDOING;
	c->retry_at = 0;

	int r = change_turn_back(h->options.state, &err);

	if (r == 0)
		r = apply(h);
	if (r < 0)
		retry_later(h, err_is_set(&err) ? err.message : strerror(-r));
}

void change_tick(struct host *h)
{
	struct change *c = h->change;
	ms_t now = clock_mono_ms();

	if (c->state == STATE_UNDOING && c->child == 0 && c->retry_at && now >= c->retry_at)
		begin_undo(h, "");
	else if ((c->state == STATE_APPLYING || c->state == STATE_WAITING) &&
		 now >= c->note.until && !c->is_to_undo)
		begin_undo(h, "it was not confirmed");
}

/* ---- start and end ---- */

int change_open(struct host *h, struct err *err)
{
	struct change *c = calloc(1, sizeof(*c));
	sigset_t child;

	(void)err;
	h->change = c;
	if (!c)
		return -ENOMEM;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		return -errno;

	int r = change_note_read(h->options.state, &c->note);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	c->state = STATE_WAITING;
	if (!c->note.is_in_force)
		begin_undo(h, "switch-hostd was started anew before it was in force");
	else
		change_tick(h);
	return 0;
}

/* Who is bringing something into force goes on: the note says what is to happen then. */
void change_close(struct host *h)
{
	if (h->change)
		sd_event_source_disable_unref(h->change->end);
	free(h->change);
	h->change = NULL;
}

/* ---- asking ---- */

static int64_t seconds_left(const struct change *c)
{
	ms_t left = c->note.until - clock_mono_ms();

	if (c->state != STATE_APPLYING && c->state != STATE_WAITING)
		return 0;
	return left > 0 ? (left + 999) / 1000 : 0;
}

static json_t *state_json(const struct change *c)
{
	return json_pack("{s:s s:I}", "state", state_names[c->state], "undone_in_s",
			 (json_int_t)seconds_left(c));
}

static int load(const struct host *h, const char *path, struct answers **ret, struct err *err)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct answers_report report = { 0 };
	int r = a ? answers_load(a, path, &report) : -ENOMEM;

	(void)h;
	if (r == -EINVAL && report.count > 0)
		*err = report.fault[0].err;
	if (r == -ENOENT)
		return err_set(err, ERR_CONFLICT, "", str_of(path), "switch-setup",
			       "the machine has not been set up yet");
	if (r == 0)
		*ret = TAKE(a);
	return r;
}

static json_t *setting_json(const struct change *c, const struct answers *now,
			    const struct answers *old, enum answer key)
{
	const struct answer_info *info = &answer_infos[key];
	struct str before = answers_str(old, key), value = answers_str(now, key);
	bool is_same = str_eq(before, value);

	return json_pack("{s:s s:o s:o s:s s:I s:s}", "key", info->name, "value",
			 json_of_text(value), "before",
			 is_same ? json_null() : json_of_text(before), "state",
			 state_names[is_same ? STATE_NONE : c->state], "undone_in_s",
			 (json_int_t)(is_same ? 0 : seconds_left(c)), "help", info->help);
}

int machine_settings(struct host *h, struct request *r, struct err *err)
{
	CLEANUP(answers_free) struct answers *now = NULL;
	CLEANUP(answers_free) struct answers *old = NULL;
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	bool is_pending = h->change->state != STATE_NONE;
	json_t *list;
	int e = change_path(h->options.state, CHANGE_OLD, &path);

	if (e == 0)
		e = load(h, h->options.conf, &now, err);
	if (e == 0)
		e = load(h, is_pending ? path.p : h->options.conf, &old, err);
	if (e < 0)
		return e;
	list = json_array();
	for (size_t i = 0; list && i < KEYS; i++)
		(void)json_array_append_new(list, setting_json(h->change, now, old, keys[i]));
	if (!list)
		return -ENOMEM;
	request_done(r, list);
	return 0;
}

/* ---- changing ---- */

static int take_arguments(const struct request *r, struct answers *a, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct answers_report report = { 0 };
	int given = 0, e = 0;

	for (size_t i = 0; e == 0 && i < KEYS; i++) {
		const char *name = answer_infos[keys[i]].name;

		if (!json_object_get(r->params, name))
			continue;
		(void)arg_text(r, name, &text); /* null: empty, which takes the answer away */
		e = answers_set(a, keys[i], buf_str(&text), 0, err);
		given++;
	}
	if (e < 0)
		return e;
	if (given == 0)
		return err_set(err, ERR_MISSING_FIELD, "", STR(""), "see `machine settings`",
			       "nothing is to be changed");
	e = answers_check(a, &report);
	if (e == -EINVAL && report.count > 0)
		*err = report.fault[0].err;
	return e;
}

static int keep(const struct host *h, const struct answers *a, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf old = BUF_INIT;
	CLEANUP(buf_done) struct buf new = BUF_INIT;
	int e = file_read(h->options.conf, ANSWERS_FILE_MAX, &old, err);

	answers_print(a, false, &new);
	if (e == 0)
		e = buf_error(&new);
	if (e == 0)
		e = change_path(h->options.state, CHANGE_OLD, &path);
	if (e == 0)
		e = file_write(path.p, buf_str(&old), 0600, true, err);
	if (e == 0)
		e = change_path(h->options.state, CHANGE_NEW, &path);
	return e < 0 ? e : file_write(path.p, buf_str(&new), 0600, true, err);
}

static int begin(struct host *h, const struct request *r, struct err *err)
{
	struct change *c = h->change;

	c->note = (struct change_note){ .until = clock_mono_ms() +
						 (ms_t)h->options.patience_s * 1000 };
	(void)str_copy(c->note.by, sizeof(c->note.by), str_of(r->actor));
	c->is_to_undo = false;
	int e = change_note_write(h->options.state, &c->note, err);

	if (e < 0)
		return e;
	c->state = STATE_APPLYING;
	e = apply(h);
	if (e < 0)
		begin_undo(h, strerror(-e));
	return e;
}

int machine_change(struct host *h, struct request *r, struct err *err)
{
	CLEANUP(answers_free) struct answers *a = NULL;
	int e = h->change->state == STATE_NONE
			? load(h, h->options.conf, &a, err)
			: err_set(err, ERR_CONFLICT, "", STR(""),
				  "`machine confirm` or `machine undo` first",
				  "a change before this one is not confirmed yet");

	if (e == 0)
		e = take_arguments(r, a, err);
	if (e == 0)
		e = keep(h, a, err);
	if (e == 0)
		e = begin(h, r, err);
	if (e < 0)
		return e;
	log_at(LOG_NOTICE, NULL,
	       "change of the machine's network and ports by %s: undone in %u s if it is not "
	       "confirmed",
	       r->actor, h->options.patience_s);
	request_done(r, state_json(h->change));
	return 0;
}

int machine_confirm(struct host *h, struct request *r, struct err *err)
{
	static const char *const why[] = {
		[STATE_NONE] = "there is nothing to confirm",
		[STATE_APPLYING] = "it is not in force yet",
		[STATE_UNDOING] = "it is being undone already",
	};
	enum state state = h->change->state;

	if (state != STATE_WAITING)
		return err_set(err, ERR_CONFLICT, "", STR(""), "see `machine settings`", "%s",
			       why[state]);
	forget(h, "confirmed");
	log_at(LOG_NOTICE, NULL, "confirmed by %s", r->actor);
	request_done(r, state_json(h->change));
	return 0;
}

int machine_undo(struct host *h, struct request *r, struct err *err)
{
	enum state state = h->change->state;

	if (state == STATE_NONE)
		return err_set(err, ERR_CONFLICT, "", STR(""), "see `machine settings`",
			       "there is nothing to undo: the last change is confirmed");
	if (state != STATE_UNDOING)
		begin_undo(h, r->actor);
	request_done(r, state_json(h->change));
	return 0;
}
