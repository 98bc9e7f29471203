#include "call/world_phone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/world_gateway.h"

/*
 * A phone that calls is a source like a mapping gateway, one that is called a vendor like a routing gateway: rows of these kinds
 * are made from its own, so that a call needs to know of phones only where they differ.
 */

static int set(const struct entity *e, void *row, int field, const char *text)
{
	return text ? row_set_text(&e->field[field], row, str_of(text)) : 0;
}

_Static_assert((int)PHONE_MEDIA_SILENCE_ANY == (int)MAPPING_GATEWAY_MEDIA_SILENCE_ANY &&
		       (int)PHONE_MEDIA_SILENCE_ANY == (int)ROUTING_GATEWAY_MEDIA_SILENCE_ANY &&
		       (int)PHONE_MEDIA_SILENCE_OWN == (int)ROUTING_GATEWAY_MEDIA_SILENCE_OWN,
	       "the same words in the same order");
_Static_assert((int)PHONE_POLICY_FREE_LINES == (int)MAPPING_GATEWAY_POLICY_FREE_LINES &&
		       (int)PHONE_POLICY_THEN_QUALITY == (int)MAPPING_GATEWAY_POLICY_THEN_QUALITY &&
		       (int)PHONE_DIGEST_MD5 == (int)MAPPING_GATEWAY_DIGEST_MD5,
	       "the same words in the same order");

static int make_source(struct phone *p, struct err *err)
{
	const struct entity *e = &entities[ENTITY_MAPPING_GATEWAY];
	const struct phone_row *from = p->row;
	struct mapping_gateway_row *to = row_create(e);

	if (!to)
		return -ENOMEM;
	p->source.row = to;
	p->source.phone = p;
	to->auth = MAPPING_GATEWAY_AUTH_PASSWORD;
	to->digest = from->digest;
	to->transport = from->transport;
	to->callee_from = MAPPING_GATEWAY_CALLEE_FROM_REQUEST_URI;
	to->line_limit = from->line_limit_out;
	to->rate_limit = from->rate_limit;
	to->call_limit = from->call_limit;
	to->blacklist = from->blacklist;
	to->policy = from->policy;
	to->policy_then = from->policy_then;
	to->call_transfer = from->call_transfer;
	to->messages = from->messages;
	to->media_source = from->media_source;
	to->media_relay = from->media_relay;
	to->media_silence = from->media_silence;
	if (from->status == PHONE_STATUS_NO_OUTGOING || from->status == PHONE_STATUS_LOCKED)
		to->status = MAPPING_GATEWAY_STATUS_LOCKED;
	int r = set(e, to, MAPPING_GATEWAY_NAME, from->number);
	if (r == 0)
		r = set(e, to, MAPPING_GATEWAY_ACCOUNT, from->account);
	if (r == 0)
		r = set(e, to, MAPPING_GATEWAY_PASSWORD, from->password);
	if (r == 0)
		r = set(e, to, MAPPING_GATEWAY_ADDRESS, from->address);
	if (r == 0)
		r = set(e, to, MAPPING_GATEWAY_MEDIA_NETS, from->media_nets);
	if (r == 0)
		r = set(e, to, MAPPING_GATEWAY_CALLEE_RULES, from->callee_rules);
	if (r == 0)
		r = screen_compile(&p->source.screen, &entities[ENTITY_PHONE], from, err);
	return r == 0 ? source_compile(&p->source, err) : r;
}

static int make_vendor(struct phone *p, struct err *err)
{
	const struct entity *e = &entities[ENTITY_ROUTING_GATEWAY];
	const struct phone_row *from = p->row;
	struct routing_gateway_row *to = row_create(e);

	if (!to)
		return -ENOMEM;
	p->vendor.row = to;
	p->vendor.phone = p;
	to->line_limit = from->line_limit_in;
	if (from->forward_no_answer)
		to->timeout_ringing = to->timeout_progress_sdp = from->forward_after;
	to->call_transfer = from->call_transfer;
	to->messages = from->messages;
	to->media_source = from->media_source;
	to->media_relay = from->media_relay;
	to->media_silence = from->media_silence;
	p->vendor.media_net = p->source.media_net; /* a loan */
	p->vendor.media_net_count = p->source.media_net_count;
	int r = set(e, to, ROUTING_GATEWAY_NAME, from->number);

	if (r == 0)
		r = rules_compile(&p->vendor.caller_rules, from->caller_rules, "caller_rules", err);
	if (r == 0)
		r = rules_compile(&p->vendor.callee_rules, from->called_rules, "called_rules", err);
	return r;
}

static int take(struct world *w, struct phone *p, struct world_input *in, struct err *err)
{
	const char *number = p->row->number;

	p->source.gate = in->find_gate(in->ctx, 'p', number);
	p->vendor.gate = in->find_gate(in->ctx, 'q', number);
	if (!p->source.gate || !p->vendor.gate)
		return -ENOMEM;
	p->source.meter = in->find_meter(in->ctx, 'p', number, (uint32_t)p->row->rate_limit);
	p->source.payer = world_payer(w, p->row->account);
	if (!p->source.payer)
		return err_set(err, ERR_BAD_VALUE, "account", str_of(p->row->account),
			       "the id of an account", "phone %s: no such account", number);
	int r = make_source(p, err);

	screen_link(&p->source.screen, &entities[ENTITY_PHONE], p->row, in);
	if (p->row->callee_transform)
		p->source.callee_transform = in->find_transform(in->ctx, p->row->callee_transform);
	if (p->row->called_transform)
		p->vendor.callee_transform = in->find_transform(in->ctx, p->row->called_transform);
	if (p->row->caller_transform)
		p->vendor.caller_transform = in->find_transform(in->ctx, p->row->caller_transform);
	return r == 0 ? make_vendor(p, err) : r;
}

static int by_number(const void *a, const void *b)
{
	const struct phone *x = a, *y = b;

	return strcmp(x->row->number, y->row->number);
}

/* Sorted before anything points at one. */
int take_phones(struct world *w, struct world_input *in, struct err *err)
{
	int r = 0;

	w->phone = calloc(in->phones ? in->phones : 1, sizeof(*w->phone));
	if (!w->phone)
		return -ENOMEM;
	for (size_t i = 0; i < in->phones; i++)
		w->phone[w->phones++].row = TAKE(in->phone[i]);
	qsort(w->phone, w->phones, sizeof(*w->phone), by_number);
	for (size_t i = 0; r == 0 && i < w->phones; i++)
		r = take(w, &w->phone[i], in, err);
	w->is_open |= w->phones > 0;
	return r;
}

void phone_done(struct phone *p)
{
	p->vendor.media_net = NULL;
	vendor_done(&p->vendor);
	source_done(&p->source);
	row_free(&entities[ENTITY_PHONE], p->row);
}

const struct phone *world_phone(const struct world *w, const char *number)
{
	struct phone_row row = { .number = (char *)(uintptr_t)number };
	struct phone key = { .row = &row };

	return number && w->phones ? bsearch(&key, w->phone, w->phones, sizeof(key), by_number)
				   : NULL;
}

/* ---- what they are called by, and log in as ---- */

static int by_text(const void *a, const void *b)
{
	const struct claimed *x = a, *y = b;

	return str_cmp(x->text, y->text);
}

static const struct claimed *find(const struct claims *c, struct str text)
{
	struct claimed key = { .text = text };

	return c->count ? bsearch(&key, c->item, c->count, sizeof(key), by_text) : NULL;
}

const struct phone *world_phone_called(const struct world *w, struct str digits)
{
	const struct claimed *c = find(&w->numbers, digits);

	return c ? c->source->phone : NULL;
}

const struct source *world_digest_user(const struct world *w, struct str user)
{
	const struct claimed *c = find(&w->users, user);

	return c ? c->source : NULL;
}

static size_t count_numbers(const struct phone *p)
{
	return 1 + str_count(str_of(p->row->numbers), ',');
}

static void add(struct claims *c, struct str text, const struct source *s)
{
	if (text.n > 0)
		c->item[c->count++] = (struct claimed){ text, s };
}

static int sort(struct claims *c, const char *field, const char *what, struct err *err)
{
	qsort(c->item, c->count, sizeof(*c->item), by_text);
	for (size_t i = 1; i < c->count; i++) {
		if (str_eq(c->item[i - 1].text, c->item[i].text))
			return err_set(err, ERR_CONFLICT, field, c->item[i].text, what,
				       "%s and %s would both be known by it",
				       c->item[i - 1].source->row->name,
				       c->item[i].source->row->name);
	}
	return 0;
}

static int make_room(struct claims *c, size_t n)
{
	c->item = calloc(n ? n : 1, sizeof(*c->item));
	return c->item ? 0 : -ENOMEM;
}

int index_phones(struct world *w, struct err *err)
{
	size_t numbers = 0;

	for (size_t i = 0; i < w->phones; i++)
		numbers += count_numbers(&w->phone[i]);
	if (make_room(&w->numbers, numbers) < 0 || make_room(&w->users, w->phones + w->sources) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < w->phones; i++) {
		const struct phone *p = &w->phone[i];
		struct str list = str_of(p->row->numbers), item;

		add(&w->users, str_of(p->row->number), &p->source);
		add(&w->numbers, str_of(p->row->number), &p->source);
		while (str_split(&list, ',', &item))
			add(&w->numbers, item, &p->source);
	}
	for (size_t i = 0; i < w->sources; i++) {
		const struct mapping_gateway_row *g = w->source[i].row;

		if (g->auth == MAPPING_GATEWAY_AUTH_PASSWORD)
			add(&w->users, str_of(g->user ? g->user : g->name), &w->source[i]);
	}
	int r = sort(&w->numbers, "numbers", "numbers that no other phone has", err);

	return r < 0 ? r
		     : sort(&w->users, "user", "a digest user that no phone or gateway has", err);
}

/* A phone that sends its calls to itself. */
static int check_forwards(const struct phone_row *row, struct err *err)
{
	const char *const to[] = { row->forward_always, row->forward_busy, row->forward_no_answer,
				   row->forward_offline };

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct str list = str_of(row->numbers), item;
		bool is_own = to[i] && str_eq(str_of(to[i]), str_of(row->number));

		while (to[i] && str_split(&list, ',', &item))
			is_own |= str_eq(str_of(to[i]), item);
		if (is_own)
			return err_set(err, ERR_BAD_VALUE, "forward_always", str_of(to[i]),
				       "a number that is not its own",
				       "phone %s: its calls would come back to it", row->number);
	}
	return 0;
}

/* At entry: compiled alone and thrown away again. */
int world_check_phone(const struct phone_row *row, struct err *err)
{
	struct phone p = { .row = row_copy(&entities[ENTITY_PHONE], row) };
	int r = p.row ? make_source(&p, err) : -ENOMEM;

	if (r == 0)
		r = make_vendor(&p, err);
	phone_done(&p);
	return r < 0 ? r : check_forwards(row, err);
}
