#include "ops/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"
#include "store/migrate.h"

enum { SECOND_US = 1000000, BUSY_MS = 2000 };

static op_fn *const handlers[OP_COUNT] = {
	[OP_ACCOUNT_ADD] = entity_add,
	[OP_ACCOUNT_SET] = entity_set,
	[OP_ACCOUNT_SHOW] = entity_show,
	[OP_ACCOUNT_LIST] = entity_list,
	[OP_ACCOUNT_DEL] = entity_del,
	[OP_ACCOUNT_RECHARGE] = account_recharge,
	[OP_PAYMENT_LIST] = payment_list,
	[OP_RATE_GROUP_ADD] = entity_add,
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
	[OP_GATEWAY_ADDRESSES] = gateway_addresses,
	[OP_GATEWAY_STATUS] = gateway_status,
	[OP_PARAMETER_LIST] = parameter_list,
	[OP_PARAMETER_SHOW] = parameter_show,
	[OP_PARAMETER_SET] = parameter_set,
	[OP_PARAMETER_RESET] = parameter_reset,
	[OP_ROUTE_EXPLAIN] = route_explain,
	[OP_CALL_LIST] = call_list,
	[OP_CALL_SHOW] = call_show,
	[OP_CALL_HANGUP] = call_hangup,
	[OP_CDR_LIST] = cdr_list,
	[OP_CDR_SHOW] = cdr_show,
	[OP_CDR_EXPLAIN] = cdr_explain,
	[OP_CDR_VERIFY] = cdr_verify_op,
	[OP_CDR_EXPORT] = cdr_export,
	[OP_LEDGER_VERIFY] = ledger_verify_op,
	[OP_ALARM_LIST] = alarm_list,
	[OP_LOG_LIST] = log_list,
	[OP_STATUS_SHOW] = status_show,
	[OP_LICENSE_SHOW] = license_show,
	[OP_LICENSE_ACTIVATE] = license_activate,
};

void ops_request(void *ops, struct request *r)
{
	struct ops *o = ops;
	struct err err = ERR_INIT;
	json_t *result = NULL;
	int error = args_check(r, &err);

	if (error == 0 && !handlers[r->op])
		error = err_set(&err, ERR_UNKNOWN_OPERATION, "", str_of(op_infos[r->op].name),
				"switchctl, which knows whom to ask",
				"this is asked of %s, at its own socket", op_infos[r->op].owner);
	if (error == 0)
		error = handlers[r->op](o, r, &result, &err);
	if (error == OP_LATER)
		return;
	if (error == 0 && result) {
		request_done(r, result);
		return;
	}
	(void)err_set(&err, ERR_INTERNAL, "", STR(""), "", "%s could not be done: %s",
		      op_infos[r->op].name, strerror(error < 0 ? -error : ENOMEM));
	request_fail(r, &err);
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
	int r = open_config(o, err);
	if (r == 0)
		r = alarms_create(&o->alarms);
	if (r == 0)
		r = report_create(&o->report, o->hub->security, NULL);
	if (r == 0)
		license_open(o);
	if (r == 0)
		r = catalog_create(&o->catalog, o->db, o->hub, c->overrides, c->is_overridden);
	if (r == 0)
		r = catalog_prepare(o->catalog, CHANGED_ALL, NULL, err);
	if (r < 0)
		return r;
	catalog_publish(o->catalog);
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
	alarms_look(o);
	catalog_tell_rules(o->catalog, clock_wall_ms());
	(void)sd_event_source_set_time(s, usec + SECOND_US);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int ops_start(struct ops *o)
{
	uint64_t now;
	int r = waiting_start(o);

	if (r == 0)
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
	waiting_stop(o);
	catalog_free(o->catalog);
	alarms_free(o->alarms);
	report_free(o->report);
	db_close(o->db);
	free(o);
	return NULL;
}

const struct world *ops_world(const struct ops *o)
{
	return catalog_world(o->catalog);
}
