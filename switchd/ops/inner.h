/* inner: what the files of ops/ share. Private to this folder. */
#pragma once

#include <jansson.h>

#include "base/list.h"
#include "call/report.h"
#include "control/args.h"
#include "model/json.h"
#include "model/licence.h"
#include "ops/catalog.h"
#include "ops/ops.h"
#include "store/db.h"

struct alarms;
struct clerk;
struct couriers;
struct registrations;
struct upload;

/* The licence in force, and what was wrong with the one that is not. */
struct permit {
	struct licence licence;
	bool is_licensed;
	char machine[LICENCE_BINDING]; /* what this machine is called; "" = not known */
	struct err problem;            /* of the file found at the start */
};

/* What was done last about what is old (upkeep.c). */
struct upkeep {
	int64_t months, days, alarm_days, report_days;
	ms_t next_ms; /* monotonic */
	bool has_more;
};

/* Alarms that are over and not written down yet. */
struct history {
	struct list waiting;
	int count;
};

struct ops {
	struct ops_config c;
	struct hub *hub;
	struct db *db;
	struct catalog *catalog;
	struct alarms *alarms;
	struct registrations *registrations;
	struct report *report;
	struct clerk *clerk;
	struct couriers *couriers;
	struct notices *notices;
	struct decoys *decoys; /* decoys.c */
	struct upkeep upkeep;
	struct history history;
	struct permit permit;
	struct list waiting; /* requests that workers or the ledger have not answered yet */
	uint32_t next_ref;
	sd_event_source *booked, *second, *names;
	sd_event_source **answers;
	ms_t started_mono;
	uint64_t last_invites; /* a second ago, for calls a second */
	uint32_t cps;
	ms_t backup_look; /* wall: when to try again after one that failed */
	_Atomic bool rerate_runs, replay_runs;
	_Atomic bool backup_runs, backup_failed;
	struct upload *uploads; /* sheets that are being sent */
	struct list parked;     /* changes that wait until a sheet is in place */
	bool has_sheet;         /* one is being read or put in place, and */
	bool is_locked;         /* ... switch.db is the clerk's to write */
	char *time_servers;     /* those that were told last (time_servers.c) */
	ms_t reports_due; /* wall: when the night's reports are to be made, or looked for again */
};

/* What a handler says beside 0 (done, *ret is the answer) and a negative errno (*err says why). */
enum { OP_LATER = 1 };

typedef int op_fn(struct ops *o, struct request *r, json_t **ret, struct err *err);

/* Every handler, by the operation it serves. */
op_fn account_list, account_recharge, payment_correct, payment_show, payment_list;
op_fn entity_add, entity_set, entity_show, entity_list, entity_del;
op_fn rate_add, rate_set, rate_show, rate_list, rate_del, rate_quote;
op_fn rate_import, rate_export, rate_undo;
op_fn migrate_check, migrate_apply, migrate_compare, migrate_mapping;
op_fn gateway_addresses, gateway_status, routing_gateway_test, network_test, call_test;
op_fn number_list_import, listed_number_list, area_import, area_find, transform_try, number_find;
op_fn blacklist_add_op, blacklist_list, blacklist_del_op;
op_fn spend_list, spend_reset;
op_fn parameter_list, parameter_show, parameter_set, parameter_reset;
op_fn route_explain, route_replay;
op_fn call_list, call_show, call_hangup, call_analysis;
op_fn cdr_list, cdr_show, cdr_explain, cdr_verify_op, cdr_export, cdr_rerate, ledger_verify_op;
op_fn report_run, report_list, report_statement, report_make_op, report_kept, report_fetch,
	report_verify;
op_fn reconcile_op;
op_fn backup_make_op, backup_list_op, backup_verify_op, backup_fetch, backup_restore, backup_del;
op_fn registration_list, registration_del, registration_explain;
op_fn knock_list;
op_fn alarm_list, alarm_ack, alarm_history, log_list, status_show;
op_fn trace_start, trace_stop, trace_status, trace_list, trace_show, trace_export;
op_fn license_show, license_activate;

/* The answer of a request, from what its handler came to. Takes result. */
void ops_answer(struct request *r, int error, json_t *result, struct err *err);

/* ---- honeypot ports, and what else of SS_LOCKOUT_ needs a look (decoys.c) ---- */
int decoys_check(const struct ops *o, enum param id, struct str text, struct err *err);
/* Once a second: listens where the parameter says. */
void decoys_look(struct ops *o);
void decoys_close(struct ops *o);

/* ---- the machine's time servers (time_servers.c) ---- */
int time_servers_check(enum param id, struct str text, struct err *err);
/* Once a second: writes the file if the parameter says others than before. */
void time_servers_look(struct ops *o);

/* ---- changes (change.c) ---- */
/* A change of configuration: one transaction, a line in the log, a world that compiles, then it acts. */
struct change {
	unsigned changed;       /* enum changed */
	const char *group;      /* the rate group, or NULL */
	const char *key;        /* what was changed */
	json_t *before, *after; /* loans, may be NULL */
};
/* -EAGAIN: not while a rate sheet is put in place; the request is repeated after that, if the handler returns it (parked.c). */
int change_begin(struct ops *o, struct err *err);
/* Commits and publishes, or rolls everything back: 0 or negative with *err. error: what the work in between came to. */
int change_end(struct ops *o, const struct request *r, const struct change *c, int error,
	       struct err *err);

/* ---- entity.c ---- */
/* Computed fields of a row (balance, lines in use, health) as they are now. */
void entity_fill(struct ops *o, enum entity_id id, void *row);

/* Would it do, beside what o->db holds? 0 or negative with *err; of rates that is rate_check. */
int entity_check(struct ops *o, const struct entity *e, const void *row, struct err *err);
int rate_check(const struct rate_row *row, struct err *err);

/* ---- migrates.c ---- */
/* Opening balances that the run before could not book. */
int migrates_open(struct ops *o);

/* ---- alarm_history.c ---- */
/* An alarm that is over: a loan. */
struct past_alarm {
	const char *type, *object, *level, *info, *acked_by;
	int64_t value;
	ms_t begin, last, acked; /* acked: 0 = nobody looked after it */
};
/* Keeps it in mind until it can be written. */
void history_add(struct ops *o, const struct past_alarm *p);
/* Writes them down, when switch.db can be written; once a second. */
void history_write(struct ops *o);
/* Forgets what is not written. */
void history_close(struct ops *o);

/* ---- reports.c ---- */
/* Would the parameter have a meaning with this value? 0 or -EINVAL with *err. */
int reports_check(enum param id, struct str text, struct err *err);
/* Makes the reports of the night when they are due; once a second. */
void reports_look(struct ops *o);

/* ---- parked.c ---- */
/* A request whose handler said -EAGAIN: it is handled anew when the sheet is in place. 0 or -ENOMEM. */
int parked_add(struct ops *o, struct request *r);
/* All of them, if they may be now. */
void parked_run(struct ops *o);
/* The switch stops: they are told so. */
void parked_stop(struct ops *o);

/* ---- page.c ---- */
/* A page of a file as the answer (op.h, is_save); next: `after` of the one that follows, 0 at the end. */
int page_of(struct str page, int64_t next, json_t **ret);

/* ---- backups.c ---- */
/* Makes one when it is due; once a second. */
void backups_look(struct ops *o);

/* ---- account_check.c ---- */
/* What an account's fields have to do with other accounts. -EINVAL with *err. */
int account_check_others(struct ops *o, const struct account_row *a, struct err *err);
/*
 * May this gateway or phone (other rows may always) have the account that it names? A vendor's account is a routing gateway's, and nobody else's. -EINVAL with
 * *err; 0 also where there is no such account, which the store refuses.
 */
int account_check_use(struct ops *o, enum entity_id user, const void *used_by, struct err *err);

/* ---- waiting.c ---- */
/* Asks every worker (or the one whose number a call id carries); the request is answered when all have. */
int ask_workers(struct ops *o, struct request *r, enum ask_kind kind, int64_t call_id,
		struct err *err);
/* Of one of them, who answers in its own time. */
int ask_one_worker(struct ops *o, struct request *r, const struct ask *a, struct err *err);
int waiting_start(struct ops *o);
void waiting_stop(struct ops *o);
/* A request that the ledger will answer; its ref for booking_payment. */
int wait_for_booking(struct ops *o, struct request *r, uint64_t *ret_ref);
void waiting_fail(struct ops *o, uint64_t ref, const struct err *err);

/* ---- alarms.c ---- */
int alarms_create(struct alarms **ret);
struct alarms *alarms_free(struct alarms *a);
/* Looks at everything that can be wrong; once a second. */
void alarms_look(struct ops *o);
int alarms_count(const struct alarms *a);
/* For whoever looks: this is wrong now. type is a literal; level: 0 general, 1 minor, 2 major, 3 critical. */
void alarm_raise(struct alarms *a, const char *type, int level, const char *object, int64_t value,
		 const char *info);
/* The same of something that happened `total` times so far: until it is acknowledged or nothing more happens. */
void alarm_count(struct alarms *a, const char *type, int level, const char *object, uint64_t total,
		 const char *info);
/* ---- alarm_balances.c ---- */
void look_at_balances(struct ops *o);
/* ---- alarm_vendors.c ---- */
void look_at_vendors(struct ops *o);

/* ---- tests.c ---- */
/* The arguments address and transport. 0 or negative with *err. */
int read_way(const struct request *r, struct addr *ret, enum proto *ret_proto, struct err *err);

/* ---- calls.c ---- */
/* Leaves those of `call list` that it asks for. */
void calls_choose(const struct request *r, json_t *list);

/* ---- knocks.c ---- */
/* Makes one row of those that several workers have of a source, and says whose address it is. */
void knocks_join(struct ops *o, json_t *list);

/* ---- registered.c ---- */
/* Reads those of the run before, as seeds for the workers. */
int registrations_open(struct ops *o);
int registrations_start(struct ops *o);
/* What has come since is written; also every second, and before they are shown. */
void registrations_write(struct ops *o);
void registrations_close(struct ops *o);
/* Adds those of phones to the rows of `registration list`, and keeps what holds its text. */
void registrations_join(struct ops *o, const struct request *r, json_t *list);
bool registration_is_live(struct ops *o, const char *user);
/* Within a change: ends one. How many contacts it had, or negative errno. */
int registration_forget(struct ops *o, const char *user);
/* A password at random. 0 or -ENOMEM. */
int password_make(const struct ops *o, char **ret);
/* Is the password that the request gives to the phone or mapping gateway, if it gives one, long enough? 0, or -EINVAL with *err. */
int password_allow(const struct ops *o, const struct request *r, const struct entity *e,
		   struct err *err);

/* ---- blacklist.c ---- */
/* Those of the run before that still hold. 0 or negative errno. */
int blacklist_open(struct ops *o);
/* What was listed since is written; once a second, and before it is shown. */
void blacklist_write(struct ops *o);

/* ---- packages.c ---- */
/* Books the fees of packages that are due; once a second. */
void packages_look(struct ops *o);
void packages_fill(struct ops *o, struct package_order_row *row);
/* The check of a row at entry. */
int packages_check_order(const struct package_order_row *row, struct err *err);
/* ---- spends.c ---- */
/* What the run before has counted. 0 or negative errno. */
int spends_open(struct ops *o);
/* Looks at every count, and stops or lets go whoever that is about; once a second. */
void spends_look(struct ops *o);
void spends_close(struct ops *o);
void look_at_spends(struct ops *o);
void spends_fill(struct ops *o, struct spend_rule_row *row);

/* ---- guesses.c ---- */
/* Counts wrong passwords of each user; once a second. */
void guesses_look(struct ops *o);
void look_at_guesses(struct ops *o);

/* ---- trace.c ---- */
/* Would the parameter have a meaning with this value? 0 or -EINVAL with *err. */
int trace_check(enum param id, struct str text, struct err *err);
/* The parameters may have changed. */
void trace_configure(struct ops *o);

/* ---- couriers.c ---- */
/* Would the parameter have a meaning with this value? 0 or -EINVAL with *err. */
int couriers_check(enum param id, struct str text, struct err *err);

/* ---- notices.c ---- */
int notices_open(struct ops *o);
void notices_close(struct ops *o);
int notices_check(enum param id, struct str text, struct err *err);
/* A mail, if one is due. */
void notices_look(struct ops *o);
/* Takes the alarm, as `alarm list` shows it. */
void notice_alarm(struct ops *o, json_t *alarm, bool is_over);
void notice_phone(struct ops *o, struct str number, bool is_online);
void notice_payment(struct ops *o, const struct payment_row *p);
/* The alarm that they cannot be told. */
void look_at_notices(struct ops *o);
int couriers_open(struct ops *o);
/* The parameters may have changed. */
void couriers_order(struct ops *o);
void look_at_couriers(struct ops *o);

/* ---- names.c: of vendors, in DNS ---- */
int names_open(struct ops *o);
/* Tells the resolver the parameter. */
void names_configure(struct ops *o);
/* Names whose last look-up failed, as alarms. */
void look_at_names(struct ops *o);

/* ---- upkeep.c ---- */
/* What is over goes; once a second. */
void upkeep_look(struct ops *o);
void look_at_disk(struct ops *o);
/* Bytes of the disk that are for calls: what can wait leaves them. */
uint64_t upkeep_reserve(struct ops *o);

/* ---- mirrors.c ---- */
void look_at_mirrors(struct ops *o);

/* ---- license.c ---- */
/* Looks for a licence from an earlier day; one that is no good is an alarm, not a failure. */
void license_open(struct ops *o);
/* The lines allowed now; once a second, for licences end by themselves. */
void license_look(struct ops *o);
enum licence_state license_state(const struct ops *o);
/* New accounts and gateways: not once the licence has lapsed. 0 or -EINVAL with *err. */
int license_allows_more(const struct ops *o, struct err *err);
/* Adds licence, licence_lines and licence_expires to an object. */
void license_put(const struct ops *o, json_t *object);
