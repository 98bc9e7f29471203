#include "ops/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/upload.h"
#include "courier/courier.h"
#include "model/report.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "store/migrate.h"
#include "trace/tracer.h"

enum { SECOND_US = 1000000, BUSY_MS = 2000, SHEET_BYTES_MAX = 512 << 20 };

static op_fn *const handlers[OP_COUNT] = {
	[OP_ACCOUNT_ADD] = entity_add,
	[OP_ACCOUNT_SET] = entity_set,
	[OP_ACCOUNT_SHOW] = entity_show,
	[OP_ACCOUNT_LIST] = account_list,
	[OP_ACCOUNT_DEL] = entity_del,
	[OP_ACCOUNT_RECHARGE] = account_recharge,
	[OP_PAYMENT_CORRECT] = payment_correct,
	[OP_PAYMENT_SHOW] = payment_show,
	[OP_PAYMENT_LIST] = payment_list,
	[OP_RATE_GROUP_ADD] = entity_add,
	[OP_ORIGIN_GROUP_ADD] = entity_add,
	[OP_ORIGIN_GROUP_SET] = entity_set,
	[OP_ORIGIN_GROUP_SHOW] = entity_show,
	[OP_ORIGIN_GROUP_LIST] = entity_list,
	[OP_ORIGIN_GROUP_DEL] = entity_del,
	[OP_RATE_GROUP_SET] = entity_set,
	[OP_RATE_GROUP_SHOW] = entity_show,
	[OP_RATE_GROUP_LIST] = entity_list,
	[OP_RATE_GROUP_DEL] = entity_del,
	[OP_RATE_ADD] = rate_add,
	[OP_RATE_SET] = rate_set,
	[OP_RATE_SHOW] = rate_show,
	[OP_RATE_LIST] = rate_list,
	[OP_RATE_DEL] = rate_del,
	[OP_RATE_QUOTE] = rate_quote,
	[OP_RATE_IMPORT] = rate_import,
	[OP_RATE_EXPORT] = rate_export,
	[OP_RATE_UNDO] = rate_undo,
	[OP_MIGRATE_CHECK] = migrate_check,
	[OP_MIGRATE_APPLY] = migrate_apply,
	[OP_MIGRATE_COMPARE] = migrate_compare,
	[OP_MIGRATE_MAPPING] = migrate_mapping,
	[OP_RATE_SHEET_LIST] = entity_list,
	[OP_RATE_SHEET_SHOW] = entity_show,
	[OP_TRANSFORM_ADD] = entity_add,
	[OP_TRANSFORM_SET] = entity_set,
	[OP_TRANSFORM_SHOW] = entity_show,
	[OP_TRANSFORM_LIST] = entity_list,
	[OP_TRANSFORM_DEL] = entity_del,
	[OP_TRANSFORM_TRY] = transform_try,
	[OP_NUMBER_LIST_ADD] = entity_add,
	[OP_NUMBER_LIST_SET] = entity_set,
	[OP_NUMBER_LIST_SHOW] = entity_show,
	[OP_NUMBER_LIST_LIST] = entity_list,
	[OP_NUMBER_LIST_DEL] = entity_del,
	[OP_NUMBER_LIST_IMPORT] = number_list_import,
	[OP_LISTED_NUMBER_ADD] = entity_add,
	[OP_LISTED_NUMBER_LIST] = listed_number_list,
	[OP_LISTED_NUMBER_DEL] = entity_del,
	[OP_WHITELIST_ADD] = entity_add,
	[OP_WHITELIST_SET] = entity_set,
	[OP_WHITELIST_SHOW] = entity_show,
	[OP_WHITELIST_LIST] = entity_list,
	[OP_WHITELIST_DEL] = entity_del,
	[OP_NUMBER_PAIR_ADD] = entity_add,
	[OP_NUMBER_PAIR_SET] = entity_set,
	[OP_NUMBER_PAIR_SHOW] = entity_show,
	[OP_NUMBER_PAIR_LIST] = entity_list,
	[OP_NUMBER_PAIR_DEL] = entity_del,
	[OP_NUMBER_FIND] = number_find,
	[OP_AREA_ADD] = entity_add,
	[OP_AREA_SET] = entity_set,
	[OP_AREA_SHOW] = entity_show,
	[OP_AREA_LIST] = entity_list,
	[OP_AREA_DEL] = entity_del,
	[OP_BLACKLIST_ADD] = blacklist_add_op,
	[OP_BLACKLIST_LIST] = blacklist_list,
	[OP_BLACKLIST_DEL] = blacklist_del_op,
	[OP_AREA_FIND] = area_find,
	[OP_AREA_IMPORT] = area_import,
	[OP_MAPPING_GATEWAY_ADD] = entity_add,
	[OP_MAPPING_GATEWAY_SET] = entity_set,
	[OP_MAPPING_GATEWAY_SHOW] = entity_show,
	[OP_MAPPING_GATEWAY_LIST] = entity_list,
	[OP_MAPPING_GATEWAY_DEL] = entity_del,
	[OP_ROUTING_GATEWAY_ADD] = entity_add,
	[OP_ROUTING_GATEWAY_SET] = entity_set,
	[OP_ROUTING_GATEWAY_SHOW] = entity_show,
	[OP_ROUTING_GATEWAY_LIST] = entity_list,
	[OP_ROUTING_GATEWAY_DEL] = entity_del,
	[OP_GATEWAY_GROUP_ADD] = entity_add,
	[OP_GATEWAY_GROUP_SET] = entity_set,
	[OP_GATEWAY_GROUP_SHOW] = entity_show,
	[OP_GATEWAY_GROUP_LIST] = entity_list,
	[OP_GATEWAY_GROUP_DEL] = entity_del,
	[OP_ROUTE_PLAN_ADD] = entity_add,
	[OP_ROUTE_PLAN_SET] = entity_set,
	[OP_ROUTE_PLAN_SHOW] = entity_show,
	[OP_ROUTE_PLAN_LIST] = entity_list,
	[OP_ROUTE_PLAN_DEL] = entity_del,
	[OP_SECURITY_PROFILE_ADD] = entity_add,
	[OP_SECURITY_PROFILE_SET] = entity_set,
	[OP_SECURITY_PROFILE_SHOW] = entity_show,
	[OP_SECURITY_PROFILE_LIST] = entity_list,
	[OP_SECURITY_PROFILE_DEL] = entity_del,
	[OP_SPEND_RULE_ADD] = entity_add,
	[OP_SPEND_RULE_SET] = entity_set,
	[OP_SPEND_RULE_SHOW] = entity_show,
	[OP_SPEND_RULE_LIST] = entity_list,
	[OP_SPEND_RULE_DEL] = entity_del,
	[OP_PACKAGE_ADD] = entity_add,
	[OP_PACKAGE_SET] = entity_set,
	[OP_PACKAGE_SHOW] = entity_show,
	[OP_PACKAGE_LIST] = entity_list,
	[OP_PACKAGE_DEL] = entity_del,
	[OP_PACKAGE_ORDER_ADD] = entity_add,
	[OP_PACKAGE_ORDER_SET] = entity_set,
	[OP_PACKAGE_ORDER_SHOW] = entity_show,
	[OP_PACKAGE_ORDER_LIST] = entity_list,
	[OP_PACKAGE_ORDER_DEL] = entity_del,
	[OP_SPEND_LIST] = spend_list,
	[OP_SPEND_RESET] = spend_reset,
	[OP_PHONE_ADD] = entity_add,
	[OP_PHONE_SET] = entity_set,
	[OP_PHONE_SHOW] = entity_show,
	[OP_PHONE_LIST] = entity_list,
	[OP_PHONE_DEL] = entity_del,
	[OP_REGISTRATION_DEL] = registration_del,
	[OP_REGISTRATION_EXPLAIN] = registration_explain,
	[OP_GATEWAY_ADDRESSES] = gateway_addresses,
	[OP_GATEWAY_STATUS] = gateway_status,
	[OP_PARAMETER_LIST] = parameter_list,
	[OP_PARAMETER_SHOW] = parameter_show,
	[OP_PARAMETER_SET] = parameter_set,
	[OP_PARAMETER_RESET] = parameter_reset,
	[OP_ROUTE_EXPLAIN] = route_explain,
	[OP_ROUTE_REPLAY] = route_replay,
	[OP_NETWORK_TEST] = network_test,
	[OP_CALL_LIST] = call_list,
	[OP_CALL_SHOW] = call_show,
	[OP_CALL_HANGUP] = call_hangup,
	[OP_CALL_TEST] = call_test,
	[OP_ROUTING_GATEWAY_TEST] = routing_gateway_test,
	[OP_CALL_ANALYSIS] = call_analysis,
	[OP_CDR_LIST] = cdr_list,
	[OP_CDR_SHOW] = cdr_show,
	[OP_CDR_EXPLAIN] = cdr_explain,
	[OP_CDR_VERIFY] = cdr_verify_op,
	[OP_CDR_EXPORT] = cdr_export,
	[OP_CDR_RERATE] = cdr_rerate,
	[OP_LEDGER_VERIFY] = ledger_verify_op,
#define REPORT_HANDLER(operation, report) [operation] = report_run,
	REPORT_OPS(REPORT_HANDLER)[OP_REPORT_LIST] = report_list,
	[OP_REPORT_STATEMENT] = report_statement,
	[OP_REPORT_MAKE] = report_make_op,
	[OP_REPORT_KEPT] = report_kept,
	[OP_REPORT_FETCH] = report_fetch,
	[OP_REPORT_VERIFY] = report_verify,
	[OP_RECONCILE_RUN] = reconcile_op,
	[OP_BACKUP_MAKE] = backup_make_op,
	[OP_BACKUP_LIST] = backup_list_op,
	[OP_BACKUP_VERIFY] = backup_verify_op,
	[OP_BACKUP_FETCH] = backup_fetch,
	[OP_BACKUP_RESTORE] = backup_restore,
	[OP_BACKUP_DEL] = backup_del,
	[OP_TRACE_START] = trace_start,
	[OP_TRACE_STOP] = trace_stop,
	[OP_TRACE_STATUS] = trace_status,
	[OP_TRACE_LIST] = trace_list,
	[OP_TRACE_SHOW] = trace_show,
	[OP_TRACE_EXPORT] = trace_export,
	[OP_ALARM_LIST] = alarm_list,
	[OP_ALARM_ACK] = alarm_ack,
	[OP_KNOCK_LIST] = knock_list,
	[OP_REGISTRATION_LIST] = registration_list,
	[OP_ALARM_HISTORY] = alarm_history,
	[OP_LOG_LIST] = log_list,
	[OP_STATUS_SHOW] = status_show,
	[OP_LICENSE_SHOW] = license_show,
	[OP_LICENSE_ACTIVATE] = license_activate,
};

void ops_answer(struct request *r, int error, json_t *result, struct err *err)
{
	if (error == 0 && result) {
		request_done(r, result);
		return;
	}
	request_give_up(r, error < 0 ? error : -ENOMEM, err);
}

void ops_request(void *ops, struct request *r)
{
	struct ops *o = ops;
	struct err err = ERR_INIT;
	json_t *result = NULL;
	int error = args_admit(r, handlers[r->op] != NULL, &err);

	if (error == 0)
		error = handlers[r->op](o, r, &result, &err);
	if (error == -EAGAIN && (o->has_sheet || o->is_locked))
		error = parked_add(o, r);
	if (error != OP_LATER)
		ops_answer(r, error, result, &err);
}

static int open_config(struct ops *o, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/switch.db", o->c.data_dir);
	const char *text = buf_cstr(&path);
	int r = text ? db_open(&o->db, text, DB_WRITE, BUSY_MS) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "data", str_of(text),
			       "a directory that switchd may write in",
			       "the configuration cannot be opened: %s", strerror(-r));
	return migrate_switch(o->db, err);
}

int ops_create(struct ops **ret, const struct ops_config *c, struct err *err)
{
	CLEANUP(ops_free) struct ops *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->c = *c;
	o->hub = c->hub;
	o->started_mono = clock_mono_ms();
	list_init(&o->waiting);
	list_init(&o->parked);
	list_init(&o->history.waiting);
	int r = open_config(o, err);
	if (r == 0)
		r = alarms_create(&o->alarms);
	if (r == 0)
		r = report_create(&o->report, o->hub->security, NULL);
	if (r == 0)
		r = clerk_create(&o->clerk, c->event);
	if (r == 0)
		r = upload_create(&o->uploads, c->data_dir, SHEET_BYTES_MAX);
	if (r == 0)
		license_open(o);
	if (r == 0)
		r = catalog_create(&o->catalog, o->db, o->hub, c->overrides, c->is_overridden);
	if (r == 0)
		r = catalog_prepare(o->catalog, CHANGED_ALL, NULL, err);
	if (r < 0)
		return r;
	catalog_publish(o->catalog);
	trace_configure(o);
	r = blacklist_open(o);
	if (r == 0)
		r = spends_open(o);
	if (r == 0)
		r = registrations_open(o);
	if (r < 0)
		return r;
	*ret = TAKE(o);
	return 0;
}

static uint64_t count_invites(const struct hub *h)
{
	uint64_t n = 0;

	for (int i = 0; i < h->workers; i++)
		n += atomic_load_explicit(&h->stats[i].invites, memory_order_relaxed);
	return n;
}

static int on_second(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct ops *o = ctx;
	uint64_t invites = count_invites(o->hub);

	o->cps = (uint32_t)(invites - o->last_invites);
	o->last_invites = invites;
	license_look(o);
	spends_look(o);
	packages_look(o);
	guesses_look(o);
	alarms_look(o);
	history_write(o);
	notices_look(o);
	clerk_look(o->clerk);
	upload_tick(o->uploads);
	upkeep_look(o);
	decoys_look(o);
	time_servers_look(o);
	registrations_write(o);
	blacklist_write(o);
	reports_look(o);
	backups_look(o);
	catalog_tell_rules(o->catalog, clock_wall_ms());
	tracer_look(o->hub->tracer, clock_wall_ms());
	(void)sd_event_source_set_time(s, usec + SECOND_US);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int ops_start(struct ops *o)
{
	uint64_t now;
	int r = waiting_start(o);

	if (r == 0)
		r = registrations_start(o);
	if (r == 0)
		r = migrates_open(o);
	if (r == 0)
		r = couriers_open(o);
	if (r == 0)
		r = notices_open(o);
	if (r == 0)
		r = names_open(o);
	if (r >= 0)
		r = sd_event_now(o->c.event, CLOCK_MONOTONIC, &now) < 0 ? -EIO : 0;
	if (r == 0)
		r = sd_event_add_time(o->c.event, &o->second, CLOCK_MONOTONIC, now + SECOND_US, 0,
				      on_second, o);
	return r < 0 ? r : 0;
}

struct ops *ops_free(struct ops *o)
{
	if (!o)
		return NULL;
	sd_event_source_unref(o->second);
	sd_event_source_unref(o->names);
	parked_stop(o);
	clerk_free(o->clerk);
	o->is_locked = false;
	upload_free(o->uploads);
	couriers_free(o->couriers);
	notices_close(o);
	waiting_stop(o);
	registrations_close(o);
	if (o->catalog)
		blacklist_write(o);
	if (o->catalog && catalog_world(o->catalog))
		spends_close(o);
	catalog_free(o->catalog);
	alarms_free(o->alarms);
	history_close(o);
	decoys_close(o);
	free(o->time_servers);
	report_free(o->report);
	db_close(o->db);
	free(o);
	return NULL;
}

const struct world *ops_world(const struct ops *o)
{
	return catalog_world(o->catalog);
}
