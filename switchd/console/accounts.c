#include "base/cleanup.h"
#include "base/rand.h"
#include "entity_page.h"
#include "model/json.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"

/*
 * A key of our own for each form: saved again after a lost answer, it is still the same payment.
 */
static json_t *preset(void)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;

	buf_printf(&key, "console-%016llx", (unsigned long long)rand_u64());
	return buf_cstr(&key) ? json_pack("{s:s}", "request_key", buf_cstr(&key)) : NULL;
}

static int recharge(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	CLEANUP(json_decref) json_t *begin = preset();
	const char *id = json_string_value(json_object_get(row, "id"));
	const struct opform of = {
		.op = "account.recharge",
		.title = "Book a payment",
		.intro = "A negative amount needs the kind deduction, rent or shortfall; reset "
			 "has 0. Saved twice with the same request_key, it is booked once.",
		.entity = "payment",
		.button = "Book",
		.preset = begin,
		.key = str_of(id),
	};

	if (!id)
		return VIEW_STAYS;
	int r = opform_run(list_app(ctx), &of);
	if (r > 0)
		screen_say(list_app(ctx)->screen, ROLE_GOOD, "account %s: booked", id);
	return r > 0 ? list_read(ctx) : r;
}

static const char *const payment_columns[] = { "at",    "account", "kind", "amount",   "balance",
					       "actor", "memo",    "id",   "reverses", NULL };
static const char *const id_key[] = { "id", NULL };

static void shape_payment(json_t *row)
{
	shape_time(row, "at");
}

static int correct(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	CLEANUP(json_decref) json_t *begin = preset();
	CLEANUP(buf_done) struct buf id = BUF_INIT;
	const struct opform of = {
		.op = "payment.correct",
		.title = "Take a payment back",
		.intro = "Books an entry of its own that names the payment, with its amount the "
			 "other way. The payment itself stays as it is.",
		.entity = "payment",
		.button = "Take back",
		.preset = begin,
		.key = json_to_text(json_object_get(row, "id"), &id) == 0 ? buf_str(&id) : STR(""),
	};

	if (!row || of.key.n == 0)
		return VIEW_STAYS;
	int r = opform_run(list_app(ctx), &of);
	if (r > 0)
		screen_say(list_app(ctx)->screen, ROLE_GOOD, "payment %.*s: taken back",
			   STR_ARG(of.key));
	return r > 0 ? list_read(ctx) : r;
}

static const struct binding payment_bindings[] = {
	{ 'c', 0, "Take back", "Book a correction of the selected payment", BINDING_CHANGES,
	  correct },
	LIST_KEYS,
	{ 0 },
};

static const struct list_spec payments_spec = {
	.title = "Payments",
	.help = "The newest 1000 payments. To book one: Accounts.",
	.op = "payment.list",
	.entity = "payment",
	.columns = payment_columns,
	.keys = id_key,
	.bindings = payment_bindings,
	.shape = shape_payment,
};

static int payments_of(struct app *app, const char *account)
{
	CLEANUP(json_decref)
	json_t *args = json_pack("{s:i s:s*}", "limit", 1000, "account", account);

	return args ? list_run(app, &payments_spec, args) : VIEW_STAYS;
}

static int payments(void *ctx)
{
	const char *id = json_string_value(json_object_get(list_row(ctx), "id"));
	CLEANUP(free) char *copy = id ? str_dup(str_of(id)) : NULL;

	return copy ? payments_of(list_app(ctx), copy) : VIEW_STAYS;
}

static enum role look(const json_t *row)
{
	bool is_locked = json_is_true(json_object_get(row, "lock_auto")) ||
			 json_is_true(json_object_get(row, "lock_manual"));

	return is_locked ? ROLE_WARN : ROLE_PLAIN;
}

int accounts_page(struct app *app)
{
	static const char *const columns[] = {
		"id",       "name",      "balance",     "available",  "calls", "kind", "holds",
		"currency", "lock_auto", "lock_manual", "rate_group", "memo",  NULL
	};
	static const struct binding bindings[] = {
		ENTITY_KEYS,
		{ 'p', K_F(6), "Recharge", "Book a payment of the selected account",
		  BINDING_CHANGES, recharge },
		{ 'y', 0, "Payments", "Payments of the selected account", 0, payments },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Accounts",
		.help = "Customers, agents and the clearing accounts of vendors. Locked ones stand "
			"out: "
			"lock_auto is cleared by a payment, lock_manual by status normal.",
		.op = "account.list",
		.entity = "account",
		.columns = columns,
		.keys = id_key,
		.period_ms = 5000,
		.bindings = bindings,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}

int payments_page(struct app *app)
{
	return payments_of(app, NULL);
}
