#include "ops/cdr_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "model/reason.h"
#include "store/month.h"

enum { LONGEST_S = 10 * 366 * 86400 };

void ask_cdrs_done(struct ask_cdrs *a)
{
	struct buf *texts[] = { &a->account,         &a->caller, &a->callee, &a->mapping_gateway,
				&a->routing_gateway, &a->reason, &a->call_id };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		buf_done(texts[i]);
}

int cdr_id_read(struct str text, int64_t *ret)
{
	char digits[17], *end;

	if (text.n != 16 || str_copy(digits, sizeof(digits), text) < 0)
		return -EINVAL;
	*ret = (int64_t)strtoull(digits, &end, 16);
	return *end || *ret < 0 ? -EINVAL : 0;
}

/* The hour of the zone that the machine shows its times in. */
static int allowed_now(struct ops *o, struct err *err)
{
	const struct params *p = catalog_world(o->catalog)->params;
	time_t now = clock_wall_ms() / SECOND_MS;
	struct tm local;
	char text[16];
	struct buf hour = buf_fixed(text, sizeof(text));

	if (!localtime_r(&now, &local))
		return 0;
	buf_printf(&hour, "%d", local.tm_hour);
	if (!param_list_has(p, PARAM_SERVER_QUERY_CDR_DENY_TIME, buf_str(&hour)))
		return 0;
	return err_set(err, ERR_FORBIDDEN, "", buf_str(&hour),
		       "another hour, or another SERVER_QUERY_CDR_DENY_TIME",
		       "records are not searched in the hours %.*s",
		       STR_ARG(param_str(p, PARAM_SERVER_QUERY_CDR_DENY_TIME)));
}

static int read_seconds(const struct request *r, const char *name, int64_t *ret, struct err *err)
{
	int64_t s;
	int e = arg_int(r, name, 0, LONGEST_S, FIELD_ABSENT, &s, err);

	if (e == 0)
		*ret = s == FIELD_ABSENT ? s : s * SECOND_MS;
	return e;
}

static int read_answered(const struct request *r, enum cdr_answered *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, "answered", &text))
		return 0;
	if (str_eq(buf_str(&text), STR("true")))
		*ret = CDR_ANSWERED;
	else if (str_eq(buf_str(&text), STR("false")))
		*ret = CDR_UNANSWERED;
	else
		return err_set(err, ERR_BAD_VALUE, "answered", buf_str(&text), "true or false",
			       "answered is a choice of two");
	return 0;
}

/* A star at the end, and only there. */
static int read_number(const struct request *r, const char *name, struct buf *text, struct str *ret,
		       struct err *err)
{
	ptrdiff_t star;

	if (!arg_text(r, name, text))
		return 0;
	*ret = buf_str(text);
	star = str_chr(*ret, '*');
	if (ret->n <= 128 && (star <= 0 || (size_t)star == ret->n - 1))
		return 0;
	return err_set(err, ERR_BAD_VALUE, name, *ret,
		       "a whole number, or its beginning and *: 880*", "%s cannot be searched so",
		       name);
}

static int read_texts(struct ask_cdrs *a, const struct request *r, struct err *err)
{
	const struct {
		const char *name;
		struct buf *text;
		struct str *slice;
	} texts[] = {
		{ "account", &a->account, &a->f.account },
		{ "mapping_gateway", &a->mapping_gateway, &a->f.mapping_gateway },
		{ "routing_gateway", &a->routing_gateway, &a->f.routing_gateway },
		{ "reason", &a->reason, &a->f.reason },
		{ "call_id", &a->call_id, &a->f.call_id },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (arg_text(r, texts[i].name, texts[i].text))
			*texts[i].slice = buf_str(texts[i].text);
	}
	if (!str_is_empty(a->f.reason) && reason_find(a->f.reason) == REASON_NONE)
		return err_set(err, ERR_BAD_VALUE, "reason", a->f.reason,
			       "an end reason as records have it, such as NoRate",
			       "there is no such end reason");
	return 0;
}

int ask_cdrs_read(struct ask_cdrs *a, struct ops *o, const struct request *r, struct err *err)
{
	const struct params *p = catalog_world(o->catalog)->params;
	int e;

	*a = (struct ask_cdrs){ .f = CDR_FILTER_INIT };
	a->most = param_int(p, PARAM_SERVER_QUERY_MAX_SIZE);
	e = allowed_now(o, err);
	if (e == 0)
		e = arg_time(r, "from", FIELD_ABSENT, &a->f.from, err);
	if (e == 0)
		e = arg_time(r, "to", FIELD_ABSENT, &a->f.to, err);
	if (e == 0)
		e = read_number(r, "caller", &a->caller, &a->f.caller, err);
	if (e == 0)
		e = read_number(r, "callee", &a->callee, &a->f.callee, err);
	if (e == 0)
		e = read_texts(a, r, err);
	if (e == 0)
		e = arg_int(r, "sip_code", 100, 699, FIELD_ABSENT, &a->f.sip_code, err);
	if (e == 0)
		e = read_seconds(r, "min_s", &a->f.min_ms, err);
	if (e == 0)
		e = read_seconds(r, "below_s", &a->f.below_ms, err);
	return e == 0 ? read_answered(r, &a->f.answered, err) : e;
}

int ask_cdrs_span(struct ask_cdrs *a, struct ops *o, struct err *err)
{
	const struct params *p = catalog_world(o->catalog)->params;
	int64_t days = param_int(p, PARAM_SERVER_QUERY_CDR_MAX_DAY_INTERVAL);
	ms_t end = clock_wall_ms(); /* no call began later */
	ms_t after = a->f.after >> CDR_ID_SHIFT;
	char text[CLOCK_TEXT];

	if (a->f.to != FIELD_ABSENT && a->f.to < end)
		end = a->f.to;
	if (a->f.after > 0 && after < end)
		end = after;
	if (a->f.from == FIELD_ABSENT)
		a->f.from = end - days * DAY_MS;
	if (end - a->f.from <= days * DAY_MS)
		return 0;
	return err_set(
		err, ERR_BAD_VALUE, "from", str_of(clock_text(a->f.from, text)),
		"a shorter time, `to` given too; or another SERVER_QUERY_CDR_MAX_DAY_INTERVAL",
		"a query spans %lld days at most", (long long)days);
}
