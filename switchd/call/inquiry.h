/*
 * inquiry: what a call asks for and what was decided about it: who calls, the numbers, the price, what was taken for it. A call
 * has one; `route explain` makes one that is dry: the same code looks at everything and takes nothing.
 */
#pragma once

#include "base/clock.h"
#include "call/hub.h"
#include "call/trail.h"
#include "call/world.h"
#include "model/reason.h"
#include "rating/gift.h"

struct shares;

enum { NUMBER_MAX = 40, WATCHERS_MAX = 16, ORIGIN_NAME_MAX = 64 };

struct number {
	char digits[NUMBER_MAX + 1];
};

/* -EINVAL if it is longer than a number may be. */
int number_set(struct number *n, struct str digits);
/* One behind the other, cut to what a number may be; `digits` may be n's own. */
void number_join(struct number *n, struct str before, struct str digits);

/* What one party pays or is paid by: fixed at the answer. */
struct price {
	struct purse
		*purse; /* NULL: nobody pays (free number, vendor without a clearing account) */
	char *account;
	struct terms terms;
	struct number prefix;
	char origin[ORIGIN_NAME_MAX + 1]; /* group of callers that the rate is for; empty: any */
	int64_t version;
	money_t held;  /* reserved in the purse */
	bool is_rated; /* terms are valid */
};

void price_done(struct price *p);
/* Copies the rate in force for number and caller now. REASON_NO_RATE if there is none or it is locked. *span: as tariff_find_span; may be NULL. */
enum reason price_find(struct price *p, const struct payer *payer, const char *digits,
		       const char *caller, ms_t wall_ms, struct tariff_span *span);

struct prices;

/* The same of a customer, by the number that it is charged by. */
struct inquiry;
enum reason inquiry_price(struct inquiry *q, const struct payer *payer, ms_t wall_ms);

/* What a dry inquiry takes for granted about a vendor. */
struct assumption {
	const struct gate *gate;
	enum { ASSUME_DOWN, ASSUME_UP, ASSUME_PRICE } what;
	money_t price; /* instead of its rate's, increments and all else as they are */
};

struct inquiry {
	struct hub *hub;
	struct prices *prices;         /* of the worker; NULL: price lists are not kept */
	const struct world *world;     /* of this loop turn; NULL outside one */
	const struct source *source;   /* the same */
	const struct source *shown_by; /* whose caller's number is shown; NULL: the source's */
	const struct gate *only;       /* the one vendor it may go to; NULL: any */
	bool is_referred; /* asked for by REFER, or sent on by a phone: charged to the one who asked */
	bool is_unlocated; /* the server of portability did not say (lookup.h) */
	bool is_dry;
	ms_t mono_ms, wall_ms;              /* when it came */
	struct number caller_in, callee_in; /* as received */
	struct number caller, callee;       /* as billed and routed */
	struct price price;
	struct shares *agents; /* those above the account, by their rates; NULL: none (agents.h) */
	money_t floor;         /* what free must not go below: -limit_money - allowance */
	bool is_free;          /* SERVER_BILLING_FREE_E164S */
	bool is_hidden;        /* SERVER_BILLING_NO_CDR_E164S */
	bool callee_is_white, caller_is_white; /* on the system white list */
	const char *callee_area, *caller_area; /* of the world of the turn; NULL: in none */
	bool is_trapped;                       /* the callee is a number of a honeypot list */
	bool is_watched, counts_answers; /* watched.h: it counts among the calls of `watched` */
	struct number watched;
	bool is_secure;                      /* a sips: call, which no vendor but by TLS gets */
	struct spent *watcher[WATCHERS_MAX]; /* who counts what it costs (spending.h) */
	int watchers;
	struct gift gift;                       /* of packages (packages.h) */
	struct allowance *given_by[GIFT_PARTS]; /* ... and whose each part is */
	money_t told;                           /* to them so far */
	money_t pending;                        /* taken at them for the answer */
	bool holds_money;                       /* anti_overdraft on, and not free */
	bool cut_off;
	bool has_packages; /* the account has ordered some, and it is not free */
	int64_t most_lines,
		most_s;         /* of the account now, as its security profiles say; 0: no limit */
	int64_t longest_s;      /* as the account and the source allow; 0: no limit of their own */
	const char *longest_by; /* ... and whose that is */
	bool has_total, has_line, has_account_line; /* what was taken and must be given back */
	struct gate *gate;                          /* of the line taken */
	struct gate *gate_of_source;                /* outlives every world, as all gates do */
	int contacts;                               /* of the phone that is called, alive now */
	uint32_t attempts;
	struct number
		ported; /* where the callee is now: its routing number; empty: where it seems */
	struct number rated;      /* what the customer and its agents are charged by */
	struct number split;      /* routing prefix that stands before the callee; empty: none */
	uint64_t turn;            /* where calls are shared by weight */
	bool has_turn, has_order; /* ... and the trail says in which order they stand */
	struct trail trail;
	const struct assumption *assume; /* dry only */
	size_t assumed;
};

/* The steps from a known source to a call that may be sent on (design.md §6), each a line of the trail. */
enum reason admit(struct inquiry *q);
/* Those after it, which need to know where a ported number is, if that is what it is charged by: price, money, hold. */
enum reason admit_price(struct inquiry *q);
/* Of a call that was admitted once: what it comes to with the numbers it had, without limits, money and lists that the switch fills. Dry. */
enum reason admit_again(struct inquiry *q);
/* Gives back lines and counts; money is settled by finish. */
void admit_release(struct inquiry *q);
void inquiry_done(struct inquiry *q);
/* May this account's calls, or those below it, pass now? step: what the trail calls it. AccountLocked, AccountExpired. */
enum reason account_is_open(struct inquiry *q, const struct payer *payer, const char *step);

/* What routes are looked up by: the routing number or the billed one, behind the prefix that split has given it. */
struct number inquiry_routed(const struct inquiry *q);
/*
 * The number that a vendor is rated by: of a ported one the routing number, whatever is sent; else as cost_number says, v NULL: as sent.
 * SERVER_BILLING_GATEWAY_ROUTE_PREFIX stands before it.
 */
struct number inquiry_vendor_number(const struct inquiry *q, const struct vendor *v,
				    const struct number *sent);

/* NULL: nothing of that kind is assumed about it. */
const struct assumption *inquiry_assumes(const struct inquiry *q, const struct vendor *v, int what);
/* The same of its caller: of cost_number=before as billed, else as sent. */
const char *inquiry_vendor_caller(const struct inquiry *q, const struct vendor *v,
				  const struct number *sent);
/* price_find of a vendor's number, or what is assumed. *span: as tariff_find_span; may be NULL. */
enum reason inquiry_vendor_price(const struct inquiry *q, const struct vendor *v,
				 const char *digits, const char *caller, struct price *ret,
				 struct tariff_span *span);

/* How long a first hold lasts, and how much an extension adds (behaviour.md, Money). */
enum { HOLD_SLICE_MS = 60000 };
/* Extends the hold so that the call may last beyond `reach_ms`; the new reach in *ret_ms. False: no money for a further increment. */
bool admit_extend(struct inquiry *q, int64_t reach_ms, int64_t *ret_ms);

/* Lines that were taken in gateway groups. */
struct group_lines {
	int count;
	struct {
		struct gate *gate;
		bool is_own; /* by a customer of the group */
	} taken[GROUPS_MAX];
};

/* ---- limits.c: groups, time plans, days ---- */
/* Is the vendor in one of the groups that this customer's calls are kept to? */
bool source_may_use(const struct source *s, const struct vendor *v);
/* A line in each of the vendor's groups, or REASON_ALL_GATEWAY_BUSY with the group in the trail and nothing taken; dry only looks. */
enum reason group_lines_take(struct inquiry *q, const struct vendor *v, struct group_lines *ret);
void group_lines_give(struct group_lines *g);
/* Daily limits and what the plans say. REASON_NONE, REASON_ALL_GATEWAY_BUSY, or REASON_NO_AVAILABLE_ROUTER by a plan. */
enum reason limits_allow(struct inquiry *q, const struct vendor *v,
			 const struct timeplan_verdict *plan);
void limits_plan(const struct inquiry *q, const struct vendor *v, struct timeplan_verdict *ret);
/* The vendor's day at that moment, for its quota. */
int64_t vendor_day(const struct vendor *v, ms_t wall_ms);

struct inuse;

/* A number of a caller pool that is in use; of NULL: none. */
struct pool_line {
	struct inuse *of;
	uint64_t key;
};

/* A vendor that was chosen for a try. */
struct choice {
	const struct vendor *vendor;
	int address;                  /* of a phone: of its contacts; index of the address to try */
	uint64_t prefix;              /* hold_key of the route prefix that led here */
	struct number caller, callee; /* as sent */
	struct price cost;
	bool has_line;
	struct group_lines groups;
	struct pool_line pool;
	struct timeplan_verdict plan;
};

/* What has been tried, so that each gateway comes once, and its further addresses when the first did not answer. */
enum { TRIES_MAX = 16 };
struct tried {
	const struct gate *gate[TRIES_MAX];
	uint8_t addresses[TRIES_MAX]; /* of a phone: the number of contacts tried so far */
	uint64_t places[TRIES_MAX];   /* of a gateway: a bit for each of its addresses */
	bool was_local[TRIES_MAX];    /* the last one failed for want of any answer */
	int count;
};

/* The next vendor to try, its line taken. REASON_NONE, or why there is none (NoAvailableRouter, AllGatewayBusy, ...). */
enum reason choose(struct inquiry *q, const struct tried *tried, struct choice *ret);
void choice_done(struct choice *c);
/* The same for a phone of ours: PhoneOffline once its contacts are used up. */
enum reason choose_phone(struct inquiry *q, const struct phone *p, const struct tried *tried,
			 struct choice *ret);
/* For explain: every candidate with its verdict in the trail. */
enum reason choose_all(struct inquiry *q);
/* A dry one's vendors that would be tried, in order, each with its price; the choice is a loan. */
typedef void choice_fn(void *ctx, const struct choice *c);
void choose_each(struct inquiry *q, choice_fn *on_choice, void *ctx);
