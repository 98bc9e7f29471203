/*
 * The page of the first customer, vendor and rates: a list of what is to be entered, each with a
 * form of its own made of the entity's table. Only what a first call needs is shown; the operator's
 * console has all fields. The switch itself judges what is sent.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/client.h"
#include "guide_inner.h"
#include "model/json.h"
#include "tui/dialog.h"
#include "tui/form_entity.h"
#include "tui/table.h"

static const struct entry {
	const char *title;
	enum entity_id entity;
	const char *method;
	const char *key;    /* the field that the next forms refer to; "" = none */
	const char *shown;  /* fields, between blanks */
	const char *preset; /* name=value, by blanks; @entity: the key of the row made last */
} entries[GUIDE_ENTRIES] = {
	{ "Customer's price list", ENTITY_RATE_GROUP, "rate-group.add", "name", " name currency ",
	  "name=retail" },
	{ "Customer's rate", ENTITY_RATE, "rate.add", "",
	  " group prefix price unit first step area ", "group=@rate-group" },
	{ "Customer's account", ENTITY_ACCOUNT, "account.add", "id",
	  " id name billing currency limit_money rate_group line_limit ",
	  "limit_money=0 rate_group=@rate-group" },
	{ "Customer's first payment", ENTITY_PAYMENT, "account.recharge", "",
	  " account amount memo ", "account=@account" },
	{ "Customer's gateway", ENTITY_MAPPING_GATEWAY, "mapping-gateway.add", "",
	  " name account auth address user password tech_prefix line_limit rate_limit ",
	  "account=@account" },
	{ "Vendor's price list", ENTITY_RATE_GROUP, "rate-group.add", "name", " name currency ",
	  "name=vendor" },
	{ "Vendor's rate", ENTITY_RATE, "rate.add", "", " group prefix price unit first step area ",
	  "group=@rate-group" },
	{ "Vendor's account", ENTITY_ACCOUNT, "account.add", "id",
	  " id name kind currency limit_money rate_group ",
	  "kind=clearing limit_money=0 rate_group=@rate-group" },
	{ "Vendor's gateway", ENTITY_ROUTING_GATEWAY, "routing-gateway.add", "",
	  " name account address transport user password prefix priority line_limit ",
	  "account=@account" },
};

struct market {
	struct guide *guide;
	struct table *table;
	const struct entry *entry; /* whose form is open */
	struct form_entity *form;
};

/* --- asking the switch --- */

static int ask(struct guide *g, const char *method, json_t *params, json_t **ret, struct err *err)
{
	CLEANUP(client_close) struct client *c = NULL;

	int r = client_open(&c, g->setup->control);
	if (r == 0)
		r = client_set_timeout(c, 10000);
	if (r == 0)
		r = client_call(c, method, params, ret, err);
	if (r < 0 && r != -EINVAL)
		return err_set(err, ERR_STORE, "", STR(""), "is switchd running?",
			       "the switch cannot be asked: %s", strerror(-r));
	return r;
}

/* Keys of all rows of an entity, for the lists of the forms. */
static int list_keys(void *ctx, const struct entity *e, json_t **ret)
{
	struct guide *g = ctx;
	CLEANUP(buf_done) struct buf method = BUF_INIT;
	CLEANUP(json_decref) json_t *rows = NULL;
	CLEANUP(json_decref) json_t *keys = json_array();
	struct err err = ERR_INIT;
	const json_t *row;
	size_t i;

	buf_printf(&method, "%s.list", e->name);
	if (!keys || !buf_cstr(&method))
		return -ENOMEM;
	int r = ask(g, method.p, NULL, &rows, &err);
	if (r < 0)
		return r;
	json_array_foreach(rows, i, row)
	{
		json_t *key = json_object_get(row, e->field[0].name);

		if (json_array_append(keys, key) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(keys);
	return 0;
}

/* --- one form --- */

static bool is_word_of(const char *words, const char *word)
{
	CLEANUP(buf_done) struct buf w = BUF_INIT;

	buf_printf(&w, " %s ", word);
	return buf_cstr(&w) && strstr(words, w.p);
}

static void preset(struct guide *g, const struct entry *e, struct form *f)
{
	struct str pair, name, rest = str_of(e->preset);

	while (str_split(&rest, ' ', &pair)) {
		CLEANUP(free) char *field = NULL;

		if (!str_split(&pair, '=', &name))
			continue;
		field = str_dup(name);
		const struct entity *other =
			str_has_prefix(pair, STR("@")) ? entity_find(str_skip(pair, 1)) : NULL;
		if (field && other)
			(void)form_set_value(f, field, str_of(g->last[other - entities]));
		else if (field)
			(void)form_set_value(f, field, pair);
	}
}

static void remember(struct guide *g, const struct entry *e, const struct form *f)
{
	char *last = g->last[e->entity];

	if (e->key[0] && str_copy(last, GUIDE_KEY, form_value(f, e->key)) < 0)
		last[0] = '\0';
	g->entered[e - entries]++;
}

/* account.recharge calls the account by its key. */
static int rename_account(json_t *o)
{
	json_t *account = json_object_get(o, "account");
	int r = account ? json_object_set(o, "id", account) : 0;

	return r < 0 ? r : json_object_del(o, "account");
}

static int submit(void *ctx, struct form *f, struct err *err)
{
	struct market *m = ctx;
	CLEANUP(json_decref) json_t *fields = form_entity_changes(m->form, f, true);
	CLEANUP(json_decref) json_t *result = NULL;

	if (!fields)
		return -ENOMEM;
	if (m->entry->entity == ENTITY_PAYMENT && rename_account(fields) < 0)
		return -ENOMEM;
	int r = ask(m->guide, m->entry->method, fields, &result, err);
	if (r == 0)
		remember(m->guide, m->entry, f);
	return r;
}

static int fill(struct market *m, struct form *f)
{
	const struct entity *e = &entities[m->entry->entity];

	int r = form_entity_add(m->form, f, NULL);
	if (r < 0)
		return r;
	for (int i = 0; i < e->fields; i++) {
		if (!is_word_of(m->entry->shown, e->field[i].name))
			form_set_hidden(f, e->field[i].name, true);
	}
	preset(m->guide, m->entry, f);
	return 0;
}

static int run_form(struct market *m)
{
	CLEANUP(form_entity_done) struct form_entity fe;
	CLEANUP(form_free) struct form *f = NULL;

	int r = form_entity_init(&fe, &entities[m->entry->entity], list_keys, m->guide);
	m->form = &fe;
	if (r == 0)
		r = form_create(&f, m->entry->title);
	if (r == 0)
		r = fill(m, f);
	return r < 0 ? r : form_run(f, m->guide->screen, submit, m);
}

/* --- the list --- */

static int fill_table(struct market *m)
{
	json_t *rows = json_array();

	for (int i = 0; rows && i < GUIDE_ENTRIES; i++) {
		json_t *row = json_pack("{s:i, s:s, s:i}", "no", i + 1, "what", entries[i].title,
					"entered", (int)m->guide->entered[i]);

		if (!row || json_array_append_new(rows, row) < 0) {
			json_decref(rows);
			return -ENOMEM;
		}
	}
	return rows ? table_set_rows(m->table, rows) : -ENOMEM;
}

static int enter(void *ctx)
{
	struct market *m = ctx;
	struct err err = ERR_INIT;
	const json_t *row = table_selected(m->table);

	if (!row)
		return VIEW_STAYS;
	m->entry = &entries[json_integer_value(json_object_get(row, "no")) - 1];
	int r = run_form(m);
	if (r <= 0)
		return r < 0 ? r : VIEW_STAYS;
	(void)table_key(m->table, K_DOWN);
	r = fill_table(m);
	if (r == 0)
		r = guide_save(m->guide, &err);
	return r < 0 ? r : VIEW_STAYS;
}

static int next(void *ctx)
{
	(void)ctx;
	return VIEW_LEAVES + 1;
}

static void draw(void *ctx, struct area a)
{
	const struct market *m = ctx;

	int y = draw_wrapped(area_part(a, 0, 1, 3, a.cols - 2), 0, ROLE_PLAIN,
			     STR("The first customer, vendor and rates. Enter opens the form of a "
				 "line; what exists already is left out. n or F2 goes on."));
	table_draw(m->table, area_part(a, y + 1, 1, a.rows - y - 1, a.cols - 2));
}

static int key(void *ctx, int k)
{
	const struct market *m = ctx;

	(void)table_key(m->table, k);
	return VIEW_STAYS;
}

int guide_market(struct guide *g, struct err *err)
{
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Enter it", "Open the form of this line", 0, enter },
		{ 'n', K_F(2), "Next page", "Go on to the go-live test", 0, next },
		{ 0 },
	};
	static const struct view v = { .title = "Customer, vendor and rates",
				       .bindings = bindings,
				       .draw = draw,
				       .key = key };
	static const char *const columns[] = { "no", "what", "entered", NULL };
	static const char *const keys[] = { "no", NULL };
	CLEANUP(table_free) struct table *table = NULL;
	struct market m = { .guide = g };

	(void)err;
	int r = table_create(&table, columns, keys, NULL);
	m.table = table;
	if (r == 0)
		r = fill_table(&m);
	if (r == 0)
		r = screen_run(g->screen, &v, &m);
	return r < 0 ? r : r == VIEW_LEAVES ? GUIDE_BACK : GUIDE_NEXT;
}
