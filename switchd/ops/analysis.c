#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/reason.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "store/cdr_query.h"
#include "store/records.h"

/*
 * `call analysis`: calls that failed, counted by what they have in common. It reads records, newest first and so many at most, on the
 * clerk's thread, and touches nothing else of the switch.
 */

enum { MOST = 100000, LISTED = 100 };

enum key { KEY_REASON, KEY_CODE, KEY_MAPPING, KEY_ROUTING, KEY_ACCOUNT, KEY_AREA, KEY_HOUR, KEYS };

static const char *const key_names[KEYS] = {
	[KEY_REASON] = "reason",
	[KEY_CODE] = "sip_code",
	[KEY_MAPPING] = "mapping_gateway",
	[KEY_ROUTING] = "routing_gateway",
	[KEY_ACCOUNT] = "account",
	[KEY_AREA] = "area",
	[KEY_HOUR] = "hour",
};

static const char known_keys[] =
	"reason, sip_code, mapping_gateway, routing_gateway, account, area, hour";

struct tally_row {
	json_t *keys;
	int64_t calls, failed;
	int64_t example; /* the newest that failed */
};

struct analysis {
	const char *data_dir;
	int64_t limit; /* of rows in the answer */
	struct cdr_filter f;
	struct buf account, reason, gateway;
	bool by[KEYS];
	json_t *index; /* keys as one text -> place in row */
	struct tally_row *row;
	size_t rows, room;
};

static void analysis_done(struct analysis *a)
{
	for (size_t i = 0; i < a->rows; i++)
		json_decref(a->row[i].keys);
	free(a->row);
	json_decref(a->index);
	buf_done(&a->account);
	buf_done(&a->reason);
	buf_done(&a->gateway);
}

/* ---- what is asked ---- */

static int read_keys(struct analysis *a, const struct request *r, struct err *err)
{
	const json_t *list = json_object_get(r->params, "by"), *item;
	size_t i;

	if (json_array_size(list) == 0)
		a->by[KEY_REASON] = a->by[KEY_MAPPING] = a->by[KEY_ROUTING] = true;
	json_array_foreach(list, i, item)
	{
		struct str name = str_of(json_string_value(item));
		int k = 0;

		while (k < KEYS && !str_eq(name, str_of(key_names[k])))
			k++;
		if (k == KEYS)
			return err_set(err, ERR_BAD_VALUE, "by", name, known_keys,
				       "calls cannot be counted by that");
		a->by[k] = true;
	}
	return 0;
}

static int read_request(struct analysis *a, const struct request *r, struct err *err)
{
	int error = arg_time(r, "from", clock_wall_ms() - DAY_MS, &a->f.from, err);

	if (error == 0)
		error = arg_time(r, "to", FIELD_ABSENT, &a->f.to, err);
	if (error == 0)
		error = arg_int(r, "records", 1, MOST * 10, MOST, &a->f.limit, err);
	(void)arg_text(r, "account", &a->account);
	(void)arg_text(r, "gateway", &a->gateway);
	if (error == 0 && arg_text(r, "reason", &a->reason) &&
	    reason_find(buf_str(&a->reason)) == REASON_NONE)
		error = err_set(err, ERR_BAD_VALUE, "reason", buf_str(&a->reason),
				"an end reason as records have it, such as NoRate",
				"there is no such end reason");
	a->f.account = buf_str(&a->account);
	a->f.reason = buf_str(&a->reason);
	return error == 0 ? read_keys(a, r, err) : error;
}

/* ---- counting ---- */

static const char *key_text(const struct cdr_row *c, enum key k, char room[CLOCK_TEXT])
{
	const char *text = NULL;

	switch (k) {
	case KEY_REASON:
		text = c->reason;
		break;
	case KEY_MAPPING:
		text = c->mapping_gateway ? c->mapping_gateway : c->caller_phone;
		break;
	case KEY_ROUTING:
		text = c->routing_gateway ? c->routing_gateway : c->callee_phone;
		break;
	case KEY_ACCOUNT:
		text = c->account;
		break;
	case KEY_AREA:
		text = c->rate_prefix;
		break;
	case KEY_HOUR:
		text = clock_text(c->start - c->start % HOUR_MS, room);
		break;
	default:
		break;
	}
	return text ? text : "";
}

static json_t *keys_of(const struct analysis *a, const struct cdr_row *c, struct buf *joined)
{
	char room[CLOCK_TEXT];
	json_t *keys = json_object();

	for (int k = 0; keys && k < KEYS; k++) {
		if (!a->by[k])
			continue;
		if (k == KEY_CODE) {
			int64_t code = c->sip_code == FIELD_ABSENT ? 0 : c->sip_code;

			buf_printf(joined, "%lld\n", (long long)code);
			(void)json_object_set_new(keys, key_names[k], json_integer(code));
			continue;
		}

		const char *text = key_text(c, (enum key)k, room);

		buf_printf(joined, "%s\n", text);
		(void)json_object_set_new(keys, key_names[k], json_string(text));
	}
	return keys;
}

static struct tally_row *add_row(struct analysis *a, const char *joined, json_t *keys)
{
	if (a->rows == a->room) {
		size_t room = a->room ? a->room * 2 : 64;
		struct tally_row *more = realloc(a->row, room * sizeof(*more));

		if (!more)
			return NULL;
		a->row = more;
		a->room = room;
	}
	if (json_object_set_new(a->index, joined, json_integer((json_int_t)a->rows)) < 0)
		return NULL;
	a->row[a->rows] = (struct tally_row){ .keys = json_incref(keys) };
	return &a->row[a->rows++];
}

static int count(void *ctx, const void *row)
{
	struct analysis *a = ctx;
	const struct cdr_row *c = row;
	CLEANUP(buf_done) struct buf joined = BUF_INIT;
	struct str gateway = buf_str(&a->gateway);
	const json_t *at;
	struct tally_row *t;

	if (gateway.n && !str_eq(gateway, str_of(c->mapping_gateway)) &&
	    !str_eq(gateway, str_of(c->routing_gateway)))
		return 0;

	json_t *keys = keys_of(a, c, &joined);
	const char *name = buf_cstr(&joined);

	at = keys && name ? json_object_get(a->index, name) : NULL;
	t = at ? &a->row[json_integer_value(at)] : keys && name ? add_row(a, name, keys) : NULL;
	json_decref(keys);
	if (!t)
		return -ENOMEM;
	t->calls++;
	if (c->answer == FIELD_ABSENT) {
		t->failed++;
		if (t->example == 0)
			t->example = c->id;
	}
	return 0;
}

/* ---- the answer ---- */

static int most_failures_first(const void *va, const void *vb)
{
	const struct tally_row *a = va, *b = vb;

	if (a->failed != b->failed)
		return a->failed > b->failed ? -1 : 1;
	return (a->calls < b->calls) - (a->calls > b->calls);
}

static json_t *answer(struct analysis *a, int64_t limit)
{
	json_t *list = json_array();

	if (a->rows > 0)
		qsort(a->row, a->rows, sizeof(*a->row), most_failures_first);
	for (size_t i = 0; list && i < a->rows && (int64_t)i < limit; i++) {
		struct tally_row *t = &a->row[i];

		if (t->failed == 0)
			break;
		(void)json_object_update_new(
			t->keys,
			json_pack("{s:I s:I s:I s:o}", "failed", (json_int_t)t->failed, "calls",
				  (json_int_t)t->calls, "percent",
				  (json_int_t)(t->failed * 100 / t->calls), "example",
				  json_sprintf("%016llx", (unsigned long long)t->example)));
		(void)json_array_append(list, t->keys);
	}
	return list;
}

/* ---- on the clerk's thread ---- */

static void task_free(void *task)
{
	analysis_done(task);
	free(task);
}

static int work(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct analysis *a = task;
	CLEANUP(records_close) struct records all;
	int r = records_open(&all, a->data_dir);

	a->f.stop = stop;
	if (r == 0)
		r = cdr_query(all.ledger, buf_cstr(&all.dir), &a->f, count, a);
	if (r < 0)
		return records_unreadable("the records", r, err);
	*ret = answer(a, a->limit);
	return *ret ? 0 : -ENOMEM;
}

int call_analysis(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct analysis *a = calloc(1, sizeof(*a));
	int error;

	(void)ret;
	if (!a)
		return -ENOMEM;
	*a = (struct analysis){ .f = CDR_FILTER_INIT,
				.index = json_object(),
				.data_dir = o->c.data_dir };
	error = a->index ? read_request(a, r, err) : -ENOMEM;
	if (error == 0)
		error = arg_int(r, "limit", 1, MOST, LISTED, &a->limit, err);
	if (error == 0)
		return clerk_take(o->clerk, r, work, a, task_free);
	task_free(a);
	return error;
}
