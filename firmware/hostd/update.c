#include "update.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "control/args.h"
#include "model/json.h"
#include "systemctl.h"

/* ---- the machine ---- */

/* systemd ends the calls that are up on its way down: switchd drains. */
static int restart(struct err *err)
{
	int r = systemctl("reboot", NULL);

	if (r == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "", STR(""), "the power button, which does the same",
		       "the machine cannot be restarted: %s",
		       r < 0 ? strerror(-r) : "systemctl refused");
}

int machine_restart(struct host *h, struct request *r, struct err *err)
{
	int e = h->install ? err_set(err, ERR_CONFLICT, "", STR(""),
				     "wait until it is done, see `update status`",
				     "an update is being installed")
			   : restart(err);

	if (e < 0)
		return e;
	log_at(LOG_NOTICE, NULL, "restart, asked for by %s", r->actor);
	request_done(r, json_pack("{s:b}", "restarting", true));
	return 0;
}

static int check_confirmed(const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf word = BUF_INIT;

	if (arg_text(r, "confirm", &word) && str_eq(buf_str(&word), STR("ERASE")))
		return 0;
	return err_set(err, ERR_BAD_VALUE, "confirm", buf_str(&word), "ERASE",
		       "all settings, accounts, balances, call records and keys would be deleted");
}

/* The wish is on the disk before the machine goes down; tandem-init makes the data partition anew. */
int machine_reset(struct host *h, struct request *r, struct err *err)
{
	struct slots s;
	int e = h->install ? err_set(err, ERR_CONFLICT, "", STR(""),
				     "wait until it is done, see `update status`",
				     "an update is being installed")
			   : check_confirmed(r, err);

	if (e == 0)
		e = places_load(&h->places, &s, err);
	if (e < 0)
		return e;
	s.is_reset = true;
	e = places_store(&h->places, &s, err);
	if (e == 0)
		e = restart(err);
	if (e < 0)
		return e;
	log_at(LOG_WARNING, NULL, "factory reset at the next start, asked for by %s", r->actor);
	request_done(r, json_pack("{s:b}", "restarting", true));
	return 0;
}

static int want_restart(const struct request *r, bool *ret, struct err *err)
{
	return arg_bool(r, "restart", false, ret, err);
}

/* ---- status ---- */

static const char *state_of(const struct places *p, const struct slots *s,
			    const struct slot_note *n, int slot)
{
	if (slot == p->running)
		return s->tries[slot] > 0 ? "running, not healthy yet" : "running";
	if (!s->is_ok[slot])
		return "empty";
	if (s->tries[slot] > 0)
		return "failed"; /* it was started and did not report health */
	return n->is_trial ? "installed, starts next" : "good";
}

static json_t *date(int64_t seconds)
{
	char text[CLOCK_TEXT];

	return seconds > 0 ? json_string(clock_text(seconds * 1000, text)) : json_null();
}

static json_t *slot_json(const struct places *p, const struct slots *s, const struct slot_note *n,
			 int slot)
{
	const char letter[] = { (char)('A' + slot), '\0' };

	return json_pack("{s:s s:s s:s? s:o s:o s:b}", "slot", letter, "state",
			 state_of(p, s, n, slot), "version", n->version[0] ? n->version : NULL,
			 "built", date(n->built), "installed", date(n->installed / 1000),
			 "starts_next", s->order[0] == letter[0]);
}

static json_t *progress_json(const struct install *i)
{
	struct install_progress at;

	if (!i)
		return json_null();
	install_progress(i, &at);
	return json_pack("{s:s s:s s:i}", "version", install_bundle(i)->version, "step", at.step,
			 "percent", at.percent);
}

/* What is known of both slots; the running one speaks for itself. */
static int look(const struct host *h, struct slots *s, struct slot_note note[SLOTS_COUNT],
		struct slot_note *image, struct err *err)
{
	int r = places_load(&h->places, s, err);

	if (r == 0)
		r = slot_notes_read(h->places.notes, note);
	if (r == 0)
		r = slot_image_read(h->options.image, image, err);
	return r;
}

/* Both slots, as a new array. */
static int list(const struct host *h, json_t **ret, struct slot_note *image, struct err *err)
{
	struct slot_note note[SLOTS_COUNT] = { 0 };
	struct slots s;
	int running = h->places.running;
	int e = look(h, &s, note, image, err);

	if (e < 0)
		return e;
	if (note[running].built != image->built)
		note[running] = *image;
	*ret = json_pack("[o o]", slot_json(&h->places, &s, &note[0], 0),
			 slot_json(&h->places, &s, &note[1], 1));
	return *ret ? 0 : -ENOMEM;
}

int update_list(struct host *h, struct request *r, struct err *err)
{
	struct slot_note image = { 0 };
	json_t *slots = NULL;
	int e = list(h, &slots, &image, err);

	if (e == 0)
		request_done(r, slots);
	return e;
}

int update_status(struct host *h, struct request *r, struct err *err)
{
	struct slot_note image = { 0 };
	json_t *slots = NULL;
	int e = list(h, &slots, &image, err);

	if (e == 0)
		request_done(r, json_pack("{s:s s:o s:o}", "version", image.version, "slots", slots,
					  "installing", progress_json(h->install)));
	return e;
}

/* ---- install ---- */

static int order_of(const struct host *h, const struct request *r, int fd, const char *machine,
		    struct install_order *ret, struct err *err)
{
	*ret = (struct install_order){ .places = &h->places, .machine = machine, .fd = fd };
	int e = arg_bool(r, "older", false, &ret->may_be_older, err);

	if (e == 0)
		e = bundle_keys_read(&ret->keys, h->options.keys, err);
	if (e == 0)
		e = slot_image_read(h->options.image, &ret->image, err);
	return e;
}

static void answer_end(struct host *h, const char *version)
{
	struct err err = ERR_INIT;
	int e = install_finish(TAKE(h->install), &err);

	if (e == 0 && h->is_to_restart)
		e = restart(&err);
	if (e < 0) {
		log_at(LOG_ERR, NULL, "update to %s: %s", version, err.message);
		request_fail(h->asked, &err);
		return;
	}
	log_at(LOG_NOTICE, NULL, "update to %s is in slot %c, for the next start", version,
	       'A' + 1 - h->places.running);
	const char slot[] = { (char)('A' + 1 - h->places.running), '\0' };
	request_done(h->asked, json_pack("{s:s s:s s:b}", "version", version, "slot", slot,
					 "restarting", h->is_to_restart));
}

static int on_end(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct host *h = ctx;
	char version[BUNDLE_VERSION];

	(void)s;
	(void)fd;
	(void)events;
	memcpy(version, install_bundle(h->install)->version, sizeof(version));
	h->install_end = sd_event_source_disable_unref(h->install_end);
	answer_end(h, version);
	return 0;
}

static int begin(struct host *h, struct request *r, int fd, struct err *err)
{
	struct install_order order;
	struct utsname uts;
	int e = uname(&uts) < 0 ? -errno : order_of(h, r, fd, uts.machine, &order, err);

	if (e < 0) {
		(void)close(fd);
		return e;
	}
	e = install_start(&h->install, &order, err);
	if (e == 0)
		e = sd_event_add_io(h->event, &h->install_end, install_fd(h->install), EPOLLIN,
				    on_end, h);
	if (e < 0 && h->install)
		(void)install_finish(TAKE(h->install), err);
	return e < 0 ? e : 0;
}

int update_install(struct host *h, struct request *r, struct err *err)
{
	int fd = -1;
	int e = h->install ? err_set(err, ERR_CONFLICT, "", STR(""),
				     "wait until it is done, see `update status`",
				     "another update is being installed")
			   : want_restart(r, &h->is_to_restart, err);

	if (e == 0)
		e = upload_take(h->upload, r, &fd, err);
	if (e <= 0) /* 0: more is to come, and the request is answered */
		return e;
	e = begin(h, r, fd, err);
	if (e == 0)
		h->asked = r;
	return e;
}

void update_stop(struct host *h)
{
	if (h->install) {
		h->is_to_restart = false;
		on_end(NULL, -1, 0, h);
	}
	h->upload = upload_free(h->upload);
}

/* ---- rollback ---- */

static int check_other(const struct slots *s, int other, struct err *err)
{
	if (s->is_ok[other])
		return 0;
	return err_set(err, ERR_CONFLICT, "", STR(""), "`update install` with the version to go to",
		       "the other slot is empty");
}

int update_rollback(struct host *h, struct request *r, struct err *err)
{
	struct slot_note note[SLOTS_COUNT], image = { 0 };
	struct slots s;
	int other = 1 - h->places.running;
	bool is_to_restart = false;
	int e = h->install ? err_set(err, ERR_CONFLICT, "", STR(""), NULL,
				     "an update is being installed")
			   : want_restart(r, &is_to_restart, err);

	if (e == 0)
		e = look(h, &s, note, &image, err);
	if (e == 0)
		e = check_other(&s, other, err);
	if (e < 0)
		return e;
	/* On trial again: if it does not become healthy, this slot comes back. */
	note[other].is_trial = true;
	s.tries[other] = 0;
	s.order[0] = (char)('A' + other);
	s.order[1] = (char)('A' + h->places.running);
	e = slot_notes_write(h->places.notes, note, err);
	if (e == 0)
		e = places_store(&h->places, &s, err);
	if (e == 0 && is_to_restart)
		e = restart(err);
	if (e < 0)
		return e;
	log_at(LOG_NOTICE, NULL, "back to slot %c at the next start, asked for by %s", 'A' + other,
	       r->actor);
	const char slot[] = { (char)('A' + other), '\0' };
	request_done(r, json_pack("{s:s? s:s s:b}", "version",
				  note[other].version[0] ? note[other].version : NULL, "slot", slot,
				  "restarting", is_to_restart));
	return 0;
}
