#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "courier/courier.h"
#include "courier/messenger.h"
#include "ops/inner.h"

/*
 * What is told to those who do not look: alarms by mail and HTTP, phones that come and go, money that was paid in. Mails are
 * SERVER_ALARM_EMAIL_DELAY apart; what happens meanwhile stands in the next one.
 */

enum { PENDING_MAX = 60000, HOST_MAX = 255 };

struct notices {
	struct messenger *messenger;
	struct buf pending; /* lines of the next mail */
	int lines, left_out;
	struct buf first; /* its subject */
	bool has_mailed;
	ms_t mailed; /* monotonic */
};

int notices_open(struct ops *o)
{
	struct notices *n = calloc(1, sizeof(*n));
	int r = n ? messenger_create(&n->messenger) : -ENOMEM;

	if (r < 0) {
		free(n);
		return r;
	}
	o->notices = n;
	return 0;
}

void notices_close(struct ops *o)
{
	struct notices *n = o->notices;

	if (!n)
		return;
	messenger_free(n->messenger);
	buf_done(&n->pending);
	buf_done(&n->first);
	free(n);
	o->notices = NULL;
}

static struct str setting(const struct ops *o, enum param id)
{
	return param_str(catalog_world(o->catalog)->params, id);
}

int notices_check(enum param id, struct str text, struct err *err)
{
	struct str host;
	uint16_t port;

	if (text.n == 0)
		return 0;
	switch (id) {
	case PARAM_OUT_POST_URL:
	case PARAM_EXTERNAL_WEB_SEND_PHONE_ONLINE:
		return courier_check(text, err);
	case PARAM_SERVER_MAIL_RELAY:
		return smtp_relay_parse(text, &host, &port, err);
	case PARAM_SERVER_ALARM_EMAIL:
	case PARAM_SERVER_MAIL_FROM:
		return smtp_address_check(text, err);
	default:
		return 0;
	}
}

/* ---- by HTTP ---- */

static void post(struct ops *o, struct str url, const char *json)
{
	if (url.n > 0 && o->notices)
		(void)messenger_post(o->notices->messenger, url, str_of(json));
}

/* Takes the object. Its name is added to OUT_POST_URL. */
static void post_event(struct ops *o, const char *name, struct str also, json_t *event)
{
	CLEANUP(buf_done) struct buf url = BUF_INIT;
	struct str base = setting(o, PARAM_OUT_POST_URL);
	char *text = event && (base.n > 0 || also.n > 0) ? json_dumps(event, JSON_COMPACT) : NULL;

	if (text && base.n > 0) {
		buf_printf(&url, "%.*s%s%s", STR_ARG(base),
			   str_has_suffix(base, STR("/")) ? "" : "/", name);
		if (buf_error(&url) == 0)
			post(o, buf_str(&url), text);
	}
	if (text)
		post(o, also, text);
	free(text);
	json_decref(event);
}

void notice_phone(struct ops *o, struct str number, bool is_online)
{
	char now[CLOCK_TEXT];

	post_event(o, "PhoneOnline", setting(o, PARAM_EXTERNAL_WEB_SEND_PHONE_ONLINE),
		   json_pack("{s:s% s:b s:s}", "phone", number.p, number.n, "online", is_online,
			     "time", clock_text(clock_wall_ms(), now)));
}

void notice_payment(struct ops *o, const struct payment_row *p)
{
	post_event(o, "CustomerMoneyChange", STR(""), row_to_json(&entities[ENTITY_PAYMENT], p));
}

/* ---- alarms ---- */

static void add_line(struct notices *n, const char *what, const json_t *alarm)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	const char *field[] = { "begin", "level", "type", "object", "info" };

	buf_printf(&line, "%s", what);
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		buf_printf(&line, "  %s", json_string_value(json_object_get(alarm, field[i])));
	if (buf_error(&line))
		return;
	if (n->pending.n + line.n > PENDING_MAX) {
		n->left_out++;
		return;
	}
	if (n->lines++ == 0)
		buf_put(&n->first, buf_str(&line));
	buf_put(&n->pending, buf_str(&line));
	buf_putc(&n->pending, '\n');
}

void notice_alarm(struct ops *o, json_t *alarm, bool is_over)
{
	const struct params *p = catalog_world(o->catalog)->params;

	if (alarm && o->notices) {
		(void)json_object_set_new(alarm, "state", json_string(is_over ? "over" : "raised"));
		if (param_bool(p, PARAM_SERVER_ALARM_ENABLE_EMAIL))
			add_line(o->notices, is_over ? "over:  " : "raised:", alarm);
		post_event(o, "AlarmCurrentReport", STR(""), json_incref(alarm));
	}
	json_decref(alarm);
}

static void put_sender(struct ops *o, struct buf *out)
{
	struct str from = setting(o, PARAM_SERVER_MAIL_FROM);
	char host[HOST_MAX + 1] = "";

	buf_put(out, from);
	if (from.n > 0)
		return;
	if (gethostname(host, HOST_MAX) < 0 || !host[0])
		(void)str_copy(host, sizeof(host), STR("localhost"));
	buf_printf(out, "tandem@%s", host);
}

static void begin_anew(struct notices *n)
{
	buf_clear(&n->pending);
	buf_clear(&n->first);
	n->lines = n->left_out = 0;
}

static void send_mail(struct ops *o, struct smtp_mail *m)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT, subject = BUF_INIT;
	struct notices *n = o->notices;
	int r;

	put_sender(o, &from);
	buf_printf(&subject, "Tandem: %.*s", STR_ARG(buf_str(&n->first)));
	if (n->lines > 1)
		buf_printf(&subject, " (and %d more)", n->lines - 1);
	if (n->left_out > 0)
		buf_printf(&n->pending, "and %d more, see `alarm list`\n", n->left_out);
	m->from = buf_str(&from);
	m->subject = buf_str(&subject);
	m->text = buf_str(&n->pending);
	r = buf_error(&from) || buf_error(&subject) || buf_error(&n->pending)
		    ? -ENOMEM
		    : messenger_mail(n->messenger, m);
	if (r < 0)
		log_at(LOG_WARNING, NULL, "a mail about %d alarms is lost: %s", n->lines,
		       strerror(-r));
	begin_anew(n);
	n->has_mailed = true;
	n->mailed = clock_mono_ms();
}

void notices_look(struct ops *o)
{
	const struct params *p = catalog_world(o->catalog)->params;
	ms_t apart = param_int(p, PARAM_SERVER_ALARM_EMAIL_DELAY) * 1000;
	struct smtp_mail m = { .to = setting(o, PARAM_SERVER_ALARM_EMAIL) };
	struct err err = ERR_INIT;
	struct notices *n = o->notices;

	if (!n || n->lines == 0)
		return;
	if (!param_bool(p, PARAM_SERVER_ALARM_ENABLE_EMAIL) || m.to.n == 0 ||
	    smtp_relay_parse(setting(o, PARAM_SERVER_MAIL_RELAY), &m.host, &m.port, &err) < 0)
		begin_anew(n);
	else if (!n->has_mailed || clock_mono_ms() - n->mailed >= apart)
		send_mail(o, &m);
}

/* That nobody can be told stands in the list, at least; it is not mailed. */
void look_at_notices(struct ops *o)
{
	static const char *const objects[] = { "mail", "http" };

	for (int i = 0; o->notices && i < MESSENGER_COUNT; i++) {
		struct messenger_state s;

		messenger_state(o->notices->messenger, (enum messenger_kind)i, &s);
		if (s.failing[0])
			alarm_raise(o->alarms, "notices", 1, objects[i], (int64_t)s.lost,
				    s.failing);
	}
}
