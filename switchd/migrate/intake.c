/*
 * The file is read several times: first for what there is and how other tables call it (rows name rows that stand further down), then for all
 * the fields, also from further tables of the same thing; then for rates, then for calls. A mapped file makes that cheap, and nothing of a
 * table of millions stays in memory.
 */
#include "migrate/intake.h"

#include <errno.h>
#include <stdlib.h>

enum pass { PASS_FIND, PASS_FILL, PASS_RATES, PASS_CALLS };

/* A line of the map and where its column stands in the table that is being read. */
struct bound {
	const struct mapping_line *line;
	int at; /* -1: the table has no such column; it may be a text of the map's */
};

struct reader {
	struct intake *p;
	enum pass pass;
	struct str table;
	struct bound *bound;
	size_t bounds;
	unsigned entities,
		further; /* bits: the table is read for these; as a further table of them */
	bool *is_seen;   /* by line of the map: its table was there */
	size_t next[ENTITY_COUNT]; /* PASS_FILL: the item of the next row */
	struct buf text;
	intake_rate_fn *on_rate;
	intake_call_fn *on_call;
	void *ctx;
};

/* ---- what was found ---- */

int intake_blame(struct intake *p, struct str table, uint64_t line, const struct err *err)
{
	CLEANUP(buf_done) struct buf why = BUF_INIT;

	buf_printf(&why, "%s%s%s", err->message[0] ? err->message : "refused",
		   err->accepted[0] ? "; accepted: " : "", err->accepted);
	const char *text = buf_cstr(&why);
	return text ? finding_add(&p->problems, finding_at(table, line, str_of(err->field)),
				  str_of(err->given), text)
		    : -ENOMEM;
}

/* ---- items ---- */

static uint64_t hash_of(int entity, struct str id)
{
	char kind = (char)entity;

	return htab_hash2(str_n(&kind, 1), id);
}

static struct item *find_item(const struct intake *p, int entity, struct str id)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &p->ids, hash_of(entity, id))
	{
		struct item *x = CONTAINER(it, struct item, node);

		if (x->entity == entity && str_eq(str_of(x->id), id))
			return x;
	}
	return NULL;
}

static void item_free(struct item *x)
{
	row_free(&entities[x->entity], x->row);
	free(x->id);
	free(x->table);
	free(x->port);
	free(x);
}

static int item_create(struct reader *r, int entity, uint64_t line, struct item **ret)
{
	struct intake *p = r->p;

	if (p->items == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct item **all = realloc(p->item, room * sizeof(struct item *));

		if (!all)
			return -ENOMEM;
		p->item = all;
		p->room = room;
	}
	struct item *x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	*x = (struct item){ .entity = entity,
			    .row = row_create(&entities[entity]),
			    .table = str_dup(r->table),
			    .line = line };
	if (!x->row || !x->table) {
		item_free(x);
		return -ENOMEM;
	}
	p->item[p->items++] = x;
	p->found[entity]++;
	*ret = x;
	return 0;
}

/* ---- cells ---- */

static struct source_cell cell_of(const struct bound *b, const struct source_cell *cells)
{
	const struct source_cell none = { .is_null = true };

	if (b->line->column.p[0] == '=')
		return (struct source_cell){ str_skip(b->line->column, 1), false };
	return b->at < 0 ? none : cells[b->at];
}

/* Into r->text. 1: it is there; 0: it was wrong, and is noted. */
static int convert(struct reader *r, const struct bound *b, const struct source_cell *cells,
		   uint64_t line)
{
	struct intake *p = r->p;
	struct source_cell cell = cell_of(b, cells);
	bool is_rounded;
	const char *why = convert_cell(&p->ask.convert, b->line, &cell, &r->text, &is_rounded);
	struct finding where = finding_at(r->table, line, b->line->column);
	int e = buf_error(&r->text);

	if (e == 0 && why)
		e = finding_add(&p->problems, where, cell.text, why);
	if (e == 0 && is_rounded)
		e = finding_add(&p->rounded, where, cell.text, "rounded to 8 decimals");
	return e < 0 ? e : !why;
}

/* The key of the row that is meant; what is no id of the file may be a name that the switch has. */
static int put_named(struct reader *r, const struct field *f)
{
	const struct entity *e = entity_find(str_of(f->ref));
	struct item *x = find_item(r->p, (int)(e - entities), buf_str(&r->text));

	if (str_eq(buf_str(&r->text), STR("0")) || str_eq(buf_str(&r->text), STR("-1")))
		buf_clear(&r->text);
	if (!x)
		return 0;
	buf_clear(&r->text);
	row_key(e, x->row, &r->text);
	return buf_error(&r->text);
}

/* 1: set; 0: it was wrong. */
static int set_field(struct reader *r, const struct bound *b, const struct source_cell *cells,
		     void *row, uint64_t line)
{
	const struct field *f = b->line->field;
	struct err err = ERR_INIT;
	int e = convert(r, b, cells, line);

	if (e != 1)
		return e;
	e = b->line->how == HOW_REF ? put_named(r, f) : 0;
	if (e == 0)
		e = row_parse(f, row, buf_str(&r->text), &err);
	if (e != -EINVAL)
		return e < 0 ? e : 1;
	(void)str_copy(err.field, sizeof(err.field), str_head(b->line->column, 60));
	e = intake_blame(r->p, r->table, line, &err);
	return e < 0 ? e : 0;
}

static const struct bound *find_bound(const struct reader *r, int entity, enum mapping_target t)
{
	for (size_t i = 0; i < r->bounds; i++) {
		if (r->bound[i].line->entity == entity && r->bound[i].line->target == t)
			return &r->bound[i];
	}
	return NULL;
}

/* ---- PASS_FIND ---- */

static int leave_out(struct reader *r, int entity, const struct source_cell *cells, uint64_t line,
		     bool *ret)
{
	struct intake *p = r->p;

	*ret = false;
	for (size_t i = 0; i < r->bounds; i++) {
		const struct mapping_line *l = r->bound[i].line;
		struct source_cell cell = cell_of(&r->bound[i], cells);

		if (l->entity != entity || l->target != TARGET_LEAVE_OUT ||
		    !convert_is_word(l->words, str_trim(cell.text)))
			continue;
		char why[128];
		*ret = true;
		p->left_out++;
		(void)str_copy(why, sizeof(why), str_head(l->note, sizeof(why) - 1));
		return finding_add(&p->notes, finding_at(r->table, line, l->column), cell.text,
				   why[0] ? why : "left out, as the map says");
	}
	return 0;
}

static int set_id(struct reader *r, struct item *x, const struct source_cell *cells)
{
	const struct bound *b = find_bound(r, x->entity, TARGET_ID);
	struct source_cell id = b ? cell_of(b, cells) : (struct source_cell){ 0 };

	if (id.is_null || id.text.n == 0)
		return 0;
	x->id = str_dup(id.text);
	if (!x->id)
		return -ENOMEM;
	htab_add(&r->p->ids, &x->node, hash_of(x->entity, id.text));
	return 0;
}

/* The fields that are its key: others name it by them. */
static int find_one(struct reader *r, int entity, const struct source_cell *cells, uint64_t line)
{
	struct item *x;
	int e = r->p->items < INTAKE_ITEMS_MAX ? item_create(r, entity, line, &x) : -E2BIG;

	if (e == 0)
		e = set_id(r, x, cells);
	if (e == 0)
		e = leave_out(r, entity, cells, line, &x->is_out);
	for (size_t i = 0; e == 0 && i < r->bounds && !x->is_out; i++) {
		const struct mapping_line *l = r->bound[i].line;

		if (l->entity != entity || l->target != TARGET_FIELD ||
		    !(l->field->flags & FIELD_KEY) || l->how == HOW_REF)
			continue;
		e = set_field(r, &r->bound[i], cells, x->row, line);
		x->is_out = e == 0;
		e = e < 0 ? e : 0;
	}
	return e;
}

/* ---- PASS_FILL ---- */

static int set_balance(struct reader *r, const struct bound *b, const struct source_cell *cells,
		       struct item *x, uint64_t line)
{
	int e = convert(r, b, cells, line);

	if (e == 1 && r->text.n && money_parse(buf_str(&r->text), &x->balance) < 0)
		e = finding_add(&r->p->problems, finding_at(r->table, line, b->line->column),
				buf_str(&r->text), "not an amount of money (how: money)");
	return e;
}

static int set_port(struct reader *r, const struct bound *b, const struct source_cell *cells,
		    struct item *x, uint64_t line)
{
	int e = convert(r, b, cells, line);

	if (e != 1 || r->text.n == 0)
		return e;
	free(x->port);
	x->port = str_dup(buf_str(&r->text));
	return x->port ? 1 : -ENOMEM;
}

static int fill_one(struct reader *r, const struct bound *b, const struct source_cell *cells,
		    struct item *x, uint64_t line)
{
	const struct mapping_line *l = b->line;

	switch (l->target) {
	case TARGET_FIELD:
		return l->field->flags & FIELD_KEY && l->how != HOW_REF
			       ? 1
			       : set_field(r, b, cells, x->row, line);
	case TARGET_BALANCE:
		return set_balance(r, b, cells, x, line);
	case TARGET_PORT:
		return set_port(r, b, cells, x, line);
	default:
		return 1;
	}
}

/* Addresses without a port get the one of the row. */
static int put_port(struct item *x)
{
	const struct entity *e = &entities[x->entity];
	int i = entity_field(e, STR("address"));
	const char *all = i >= 0 && x->port ? row_text(&e->field[i], x->row) : NULL;
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct str rest = str_of(all), one;

	if (!all)
		return 0;
	while (str_split(&rest, ',', &one)) {
		if (out.n)
			buf_putc(&out, ',');
		buf_put(&out, one);
		if (str_chr(one, ':') < 0 && str_chr(one, '/') < 0)
			buf_printf(&out, ":%s", x->port);
	}
	free(x->port);
	x->port = NULL;
	return buf_error(&out) < 0 ? -ENOMEM : row_set_text(&e->field[i], x->row, buf_str(&out));
}

static int fill(struct reader *r, int entity, const struct source_cell *cells, uint64_t line)
{
	struct item *x;
	int e = 0;

	if (r->further >> entity & 1) {
		const struct bound *of = find_bound(r, entity, TARGET_OF);

		x = find_item(r->p, entity, cell_of(of, cells).text);
	} else {
		size_t *next = &r->next[entity];

		while (r->p->item[*next]->entity != entity)
			(*next)++;
		x = r->p->item[(*next)++];
	}
	for (size_t i = 0; e >= 0 && x && !x->is_out && i < r->bounds; i++) {
		if (r->bound[i].line->entity != entity)
			continue;
		e = fill_one(r, &r->bound[i], cells, x, line);
		x->is_out = e == 0;
	}
	return e < 0 || !x ? e : put_port(x);
}

/* ---- PASS_RATES, PASS_CALLS ---- */

static int give_rate(struct reader *r, const struct source_cell *cells, uint64_t line)
{
	const struct entity *e = &entities[ENTITY_RATE];
	struct finding where = finding_at(r->table, line, STR(""));
	void *row = row_create(e);
	int error = row ? 1 : -ENOMEM;

	r->p->found[ENTITY_RATE]++;
	for (size_t i = 0; error == 1 && i < r->bounds; i++) {
		if (r->bound[i].line->entity == ENTITY_RATE &&
		    r->bound[i].line->target == TARGET_FIELD)
			error = set_field(r, &r->bound[i], cells, row, line);
	}
	if (error == 1)
		error = r->on_rate(r->ctx, row, &where);
	row_free(e, row);
	return error < 0 ? error : 0;
}

static int decimals_of(struct str text)
{
	ptrdiff_t point = str_chr(text, '.');

	return point < 0 ? 0 : (int)(text.n - (size_t)point - 1);
}

/* Whole seconds, also where they are written 12.0. */
static bool read_seconds(struct str text, int64_t *ret)
{
	ptrdiff_t point = str_chr(text, '.');

	return str_to_i64(point < 0 ? text : str_head(text, (size_t)point), 0, 100000000, ret) == 0;
}

static bool set_number(enum mapping_cdr what, struct str text, struct other_call *c)
{
	switch (what) {
	case OTHER_START:
		return clock_parse(text, &c->start) == 0;
	case OTHER_SECONDS:
		return read_seconds(text, &c->seconds);
	case OTHER_BILLED:
		return read_seconds(text, &c->billed_s);
	case OTHER_PACKAGE_S:
		return read_seconds(text, &c->package_s);
	case OTHER_FEE:
		c->fee_decimals = decimals_of(text);
		return money_parse(text, &c->fee) == 0;
	default:
		return money_parse(text, &c->tax) == 0;
	}
}

/* 1; 0: it was wrong. */
static int set_call(struct reader *r, const struct bound *b, const struct source_cell *cells,
		    struct other_call *c, uint64_t line)
{
	struct str raw = str_trim(cell_of(b, cells).text);
	int e;

	if (b->line->cdr <= OTHER_CALLER) {
		struct str *to[] = { &c->id, &c->account, &c->callee, &c->caller };

		*to[b->line->cdr] = raw;
		return 1;
	}
	e = convert(r, b, cells, line);
	if (e != 1 || r->text.n == 0)
		return e;
	if (set_number(b->line->cdr, buf_str(&r->text), c))
		return 1;
	e = finding_add(&r->p->problems, finding_at(r->table, line, b->line->column), raw,
			"not such a value");
	return e < 0 ? e : 0;
}

static int give_call(struct reader *r, const struct source_cell *cells, uint64_t line)
{
	struct other_call c = { .line = line, .start = FIELD_ABSENT };
	int e = 1;

	for (size_t i = 0; e == 1 && i < r->bounds; i++) {
		if (r->bound[i].line->entity == MAPPING_CALLS)
			e = set_call(r, &r->bound[i], cells, &c, line);
	}
	if (e == 1 && (c.start == FIELD_ABSENT || !c.callee.n))
		e = 0; /* nobody could be called, or nothing ever began */
	return e == 1 ? r->on_call(r->ctx, &c) : e;
}

/* ---- tables ---- */

static bool is_of_pass(const struct reader *r, int entity)
{
	if (r->pass == PASS_CALLS)
		return entity == MAPPING_CALLS;
	return r->pass == PASS_RATES ? entity == ENTITY_RATE
				     : entity != ENTITY_RATE && entity != MAPPING_CALLS;
}

static int find_column(const struct str *column, size_t columns, struct str name)
{
	for (size_t i = 0; i < columns; i++) {
		if (str_ieq(column[i], name))
			return (int)i;
	}
	return -1;
}

static int note_missing(struct reader *r, const struct bound *b)
{
	if (b->at >= 0 || b->line->column.p[0] == '=')
		return 0;
	return finding_add(&r->p->notes, finding_at(r->table, 0, b->line->column),
			   b->line->otherwise, "the table has no such column");
}

static bool on_table(void *ctx, struct str table, const struct str *column, size_t columns)
{
	struct reader *r = ctx;

	r->table = table;
	r->bounds = 0;
	r->entities = r->further = 0;
	for (size_t i = 0; i < r->p->map.lines; i++) {
		const struct mapping_line *l = &r->p->map.line[i];
		struct bound *b = &r->bound[r->bounds];

		if (!is_of_pass(r, l->entity) || !mapping_is_of(l, table))
			continue;
		*b = (struct bound){ l, find_column(column, columns, l->column) };
		if (!r->is_seen[i] && r->pass != PASS_FIND)
			(void)note_missing(r, b);
		r->is_seen[i] = true;
		r->entities |= 1u << l->entity;
		if (l->target == TARGET_OF)
			r->further |= 1u << l->entity;
		r->bounds++;
	}
	return r->entities != 0;
}

static int on_row(void *ctx, const struct source_cell *cells, uint64_t line)
{
	struct reader *r = ctx;
	int e = 0;

	if (r->pass == PASS_RATES)
		return give_rate(r, cells, line);
	if (r->pass == PASS_CALLS)
		return give_call(r, cells, line);
	for (int i = 0; e == 0 && i < ENTITY_COUNT; i++) {
		if (!(r->entities >> i & 1))
			continue;
		if (r->pass == PASS_FILL)
			e = fill(r, i, cells, line);
		else if (!(r->further >> i & 1))
			e = find_one(r, i, cells, line);
		e = e < 0 ? e : 0;
	}
	return e;
}

static int on_problem(void *ctx, struct str table, uint64_t line, const char *reason)
{
	struct reader *r = ctx;

	/* The same in every pass. */
	return r->pass == PASS_FIND ? finding_add(&r->p->problems, finding_at(table, line, STR("")),
						  STR(""), reason)
				    : 0;
}

/* ---- all of it ---- */

static int run(struct reader *r, struct err *err)
{
	struct intake *p = r->p;
	const struct source_user u = { on_table, on_row, on_problem, r, p->ask.stop };
	int e;

	r->bound = calloc(p->map.lines + 1, sizeof(*r->bound));
	r->is_seen = calloc(p->map.lines + 1, sizeof(*r->is_seen));
	e = r->bound && r->is_seen ? source_read(p->ask.file, p->ask.table, &u, err) : -ENOMEM;
	free(r->bound);
	free(r->is_seen);
	buf_done(&r->text);
	if (e == -E2BIG)
		e = err_set(err, ERR_BAD_VALUE, "file", STR(""), "at most 500000 of them",
			    "there are too many accounts, gateways and phones");
	return e;
}

int intake_read(struct intake *p, const struct intake_ask *ask, struct err *err)
{
	struct reader find = { .p = p, .pass = PASS_FIND }, all = { .p = p, .pass = PASS_FILL };

	*p = (struct intake){ .ask = *ask };
	int e = htab_init(&p->ids, 1024);
	if (e == 0)
		e = mapping_parse(&p->map, ask->map, err);
	if (e == 0)
		e = run(&find, err);
	return e < 0 ? e : run(&all, err);
}

int intake_each_rate(struct intake *p, intake_rate_fn *fn, void *ctx, struct err *err)
{
	struct reader r = { .p = p, .pass = PASS_RATES, .on_rate = fn, .ctx = ctx };

	return run(&r, err);
}

int intake_each_call(struct intake *p, intake_call_fn *fn, void *ctx, struct err *err)
{
	struct reader r = { .p = p, .pass = PASS_CALLS, .on_call = fn, .ctx = ctx };

	return run(&r, err);
}

void intake_done(struct intake *p)
{
	for (size_t i = 0; i < p->items; i++)
		item_free(p->item[i]);
	free(p->item);
	if (p->ids.bucket)
		htab_done(&p->ids);
	mapping_done(&p->map);
	findings_done(&p->problems);
	findings_done(&p->notes);
	findings_done(&p->rounded);
	*p = (struct intake){ 0 };
}
