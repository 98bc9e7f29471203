#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "courier/courier.h"
#include "ops/inner.h"

/* The parameters of what leaves the switch: files of records, and where records are sent to. */

enum { HOUR_S = 3600 };

/* A bare address is what the product being replaced calls its collector. */
static struct str collector_url(struct str text, struct buf *out)
{
	if (text.n == 0 || str_has_prefix(text, STR("http://")))
		return text;
	buf_clear(out);
	buf_printf(out, "http://%.*s/", STR_ARG(text));
	return buf_str(out);
}

int couriers_check(enum param id, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf url = BUF_INIT;

	if (text.n == 0)
		return 0;
	if (id == PARAM_EXTERNAL_SEND_CDR)
		return courier_check(text, err);
	if (id == PARAM_SERVER_CDR_REAL_TIME_REPORT_SERVER)
		return courier_check(collector_url(text, &url), err);
	return 0;
}

void couriers_order(struct ops *o)
{
	CLEANUP(buf_done) struct buf url = BUF_INIT;
	const struct params *p = catalog_world(o->catalog)->params;
	int64_t interval = param_int(p, PARAM_SERVER_CDR_FILE_WRITE_INTERVAL);
	struct courier_order order = {
		.keep_files = param_int(p, PARAM_SERVER_CDR_FILE_WRITE_MAX),
		.is_answered_only = !param_bool(p, PARAM_SS_CDR_RECORD_NONCONNECT),
		.post = param_str(p, PARAM_EXTERNAL_SEND_CDR),
		.collector =
			collector_url(param_str(p, PARAM_SERVER_CDR_REAL_TIME_REPORT_SERVER), &url),
	};

	if (interval != PARAM_UNSET)
		order.interval_s = interval;
	else if (param_bool(p, PARAM_SS_CDR_RECORD_TO_FILE))
		order.interval_s = HOUR_S;
	if (o->couriers && couriers_configure(o->couriers, &order) < 0)
		log_at(LOG_ERR, NULL, "records go on to where they went: no memory");
}

int couriers_open(struct ops *o)
{
	int r = couriers_create(&o->couriers, o->hub->ledger, o->c.data_dir);

	if (r == 0)
		couriers_order(o);
	return r;
}

void look_at_couriers(struct ops *o)
{
	static const char *const objects[] = { "files", "EXTERNAL_SEND_CDR",
					       "SERVER_CDR_REAL_TIME_REPORT_SERVER" };
	int64_t most = param_int(catalog_world(o->catalog)->params,
				 PARAM_SERVER_MAX_CDR_PENDING_LIST_LENGTH);

	for (int i = 0; o->couriers && i < COURIER_COUNT; i++) {
		struct courier_state s;

		courier_state(o->couriers, (enum courier_kind)i, &s);
		if (s.failing[0])
			alarm_raise(o->alarms, "cdr_feed", 2, objects[i], s.waiting, s.failing);
		if (s.waiting > most)
			alarm_raise(o->alarms, "pending_cdrs", 2, objects[i], s.waiting,
				    "records wait to be delivered");
	}
}
