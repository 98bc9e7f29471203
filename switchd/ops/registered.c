#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rand.h"
#include "ops/inner.h"
#include "phone/binding.h"
#include "store/rows.h"

/*
 * Registrations on disk, so that they survive a restart. The workers mail each one that changed, whole; what came within a
 * second is written as one transaction. A crash loses no more than that second: the phones of it register again in their time.
 */

struct pending {
	struct hnode node;
	char *user;
	struct buf bytes;
	bool was_online, is_online; /* before and after it was written */
};

struct registrations {
	struct htab pending; /* by user: what is to be written */
	sd_event_source **ready;
};

static void pending_free(struct registrations *g, struct pending *p)
{
	htab_del(&g->pending, &p->node);
	buf_done(&p->bytes);
	free(p->user);
	free(p);
}

static struct pending *find(const struct registrations *g, struct str user)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &g->pending, htab_hash(user))
	{
		struct pending *p = CONTAINER(it, struct pending, node);

		if (str_eq(str_of(p->user), user))
			return p;
	}
	return NULL;
}

static struct pending *pending_of(struct registrations *g, struct str user)
{
	struct pending *p = find(g, user);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->user = str_dup(user);
	if (!p->user) {
		free(p);
		return NULL;
	}
	htab_add(&g->pending, &p->node, htab_hash(user));
	return p;
}

static void keep(struct registrations *g, struct str bytes)
{
	struct str user = str_head(str_skip(bytes, 1), (unsigned char)bytes.p[0]);
	struct pending *p = pending_of(g, user);

	if (!p)
		return;
	buf_clear(&p->bytes);
	buf_put(&p->bytes, bytes);
	if (buf_error(&p->bytes))
		pending_free(g, p);
}

static void read_ring(struct ops *o, struct ring *ring)
{
	const void *record;
	size_t n;

	while ((record = ring_peek(ring, &n))) {
		keep(o->registrations, str_n(record, n));
		ring_pop(ring);
	}
}

static void read_all(struct ops *o)
{
	for (int i = 0; i < o->hub->workers; i++)
		read_ring(o, o->c.notes[i]);
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct ops *o = ctx;

	(void)s;
	(void)events;
	for (int i = 0; i < o->hub->workers; i++) {
		struct ring *ring = o->c.notes[i];

		if (ring_fd(ring) != fd)
			continue;
		ring_awake(ring);
		do
			read_ring(o, ring);
		while (!ring_sleep(ring));
	}
	return 0;
}

/* ---- writing ---- */

struct writer {
	struct ops *ops;
	struct stmt *add;
	ms_t shift; /* from monotonic to wall time */
	int contacts;
};

static int fill(struct registration_row *row, struct str user, const struct binding *b, ms_t shift)
{
	char source[ADDR_TEXT];

	row->phone = str_dup(user);
	row->contact = strdup(b->contact);
	row->source = strdup(addr_text(&b->source, source));
	row->local = strdup(b->local);
	row->nat = b->is_nat;
	row->expires = b->expires + shift;
	row->since = b->since + shift;
	row->q = b->q;
	row->path = b->path ? strdup(b->path) : NULL;
	row->call_id = strdup(b->call_id);
	row->cseq = b->cseq;
	row->user_agent = b->agent ? strdup(b->agent) : NULL;
	return row->phone && row->contact && row->source && row->local && row->call_id ? 0
										       : -ENOMEM;
}

static int write_contact(void *ctx, struct str user, const struct binding *b)
{
	struct writer *w = ctx;
	const struct entity *e = &entities[ENTITY_REGISTRATION];
	struct registration_row *row = row_create(e);
	int r = row ? fill(row, user, b, w->shift) : -ENOMEM;

	if (r == 0) {
		rows_bind(e, w->add, 1, row);
		r = stmt_run(w->add);
	}
	row_free(e, row);
	w->contacts++;
	return r;
}

static int write_one(struct writer *w, struct stmt *del, struct pending *p)
{
	struct str user;

	stmt_bind_text(del, 1, str_of(p->user));
	int r = stmt_run(del);

	p->was_online = r == 0 && db_changes(w->ops->db) > 0;
	w->contacts = 0;
	if (r == 0)
		r = registration_each(buf_str(&p->bytes), &user, write_contact, w);
	p->is_online = w->contacts > 0;
	return r;
}

static int write_all(struct ops *o)
{
	CLEANUP(stmt_free) struct stmt *del = NULL;
	const struct entity *e = &entities[ENTITY_REGISTRATION];
	struct writer w = { .ops = o, .shift = clock_wall_ms() - clock_mono_ms() };
	struct hnode *it;

	int r = rows_prepare_insert(&w.add, o->db, e, "INSERT OR REPLACE INTO registration", "",
				    "");

	if (r == 0)
		r = stmt_prepare(&del, o->db, "DELETE FROM registration WHERE phone = ?");
	if (r == 0)
		r = db_begin(o->db);
	HTAB_EACH (it, &o->registrations->pending) {
		if (r == 0)
			r = write_one(&w, del, CONTAINER(it, struct pending, node));
	}
	stmt_free(w.add);
	if (r == 0)
		r = db_commit(o->db);
	if (r < 0)
		db_rollback(o->db);
	return r;
}

void registrations_write(struct ops *o)
{
	struct registrations *g = o->registrations;
	struct hnode *it;

	read_all(o);
	if (g->pending.count == 0 || o->is_locked)
		return;
	int r = write_all(o);
	if (r < 0) {
		log_at(LOG_WARNING, NULL, "registrations cannot be written: %s", strerror(-r));
		return; /* again in a second */
	}
	while ((it = htab_walk(&g->pending, NULL))) {
		struct pending *p = CONTAINER(it, struct pending, node);

		if (p->is_online != p->was_online)
			notice_phone(o, str_of(p->user), p->is_online);
		pending_free(g, p);
	}
}

/* ---- reading ---- */

/* Rows of one user follow each other; the bytes of each user are made from a table of its own. */
struct reader {
	struct ops *ops;
	struct bindings table;
	ms_t shift, now;
};

static int read_proto(const char *local, uint8_t *ret)
{
	for (int p = 0; p < PROTO_COUNT; p++) {
		struct str name = str_of(proto_name((enum proto)p));

		if (str_has_prefix(str_of(local), name) && local[name.n] == ':') {
			*ret = (uint8_t)p;
			return 0;
		}
	}
	return -EINVAL;
}

static struct binding *binding_of(const struct registration_row *row, ms_t shift)
{
	struct binding *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->contact = strdup(row->contact);
	b->path = row->path ? strdup(row->path) : NULL;
	b->call_id = strdup(row->call_id);
	b->agent = row->user_agent ? strdup(row->user_agent) : NULL;
	b->local = strdup(row->local);
	b->cseq = (uint32_t)row->cseq;
	b->q = (int)row->q;
	b->is_nat = row->nat;
	b->expires = row->expires - shift;
	b->since = row->since - shift;
	if (b->contact && b->call_id && b->local &&
	    addr_parse(str_of(row->source), proto_port(PROTO_UDP), &b->source) == 0 &&
	    read_proto(row->local, &b->flow.proto) == 0)
		return b;
	binding_free(b);
	return NULL;
}

static int on_row(void *ctx, const void *any)
{
	struct reader *rd = ctx;
	const struct registration_row *row = any;

	if (row->expires - rd->shift <= rd->now || !row->contact || !row->call_id || !row->local)
		return 0;

	struct registration *r = bindings_get(&rd->table, str_of(row->phone));
	struct binding *b = r ? binding_of(row, rd->shift) : NULL;

	if (b)
		binding_way(b);
	if (b)
		binding_put(&rd->table, r, b);
	return 0;
}

static int make_seeds(struct ops *o, struct reader *rd)
{
	struct hub *h = o->hub;
	struct hnode *it;

	h->seed = calloc(rd->table.users.count + 1, sizeof(*h->seed));
	if (!h->seed)
		return -ENOMEM;
	HTAB_EACH (it, &rd->table.users) {
		struct registration *r = CONTAINER(it, struct registration, node);

		if (r->count > 0)
			registration_pack(r, &h->seed[h->seeds++]);
	}
	return 0;
}

int registrations_open(struct ops *o)
{
	struct reader rd = { .ops = o, .now = clock_mono_ms() };
	struct registrations *g = calloc(1, sizeof(*g));
	int r = g ? htab_init(&g->pending, 0) : -ENOMEM;

	o->registrations = g;
	rd.shift = clock_wall_ms() - rd.now;
	if (r == 0)
		r = bindings_init(&rd.table);
	if (r < 0)
		return r;
	r = rows_each(o->db, &entities[ENTITY_REGISTRATION], STR(""), 0, on_row, &rd);
	if (r == 0)
		r = make_seeds(o, &rd);
	bindings_done(&rd.table);
	return r;
}

int registrations_start(struct ops *o)
{
	struct registrations *g = o->registrations;
	int r = 0;

	g->ready = calloc((size_t)o->hub->workers, sizeof(sd_event_source *));
	if (!g->ready)
		return -ENOMEM;
	for (int i = 0; r >= 0 && i < o->hub->workers; i++) {
		(void)ring_sleep(o->c.notes[i]);
		r = sd_event_add_io(o->c.event, &g->ready[i], ring_fd(o->c.notes[i]), EPOLLIN,
				    on_ready, o);
	}
	return r < 0 ? r : 0;
}

void registrations_close(struct ops *o)
{
	struct registrations *g = o->registrations;
	struct hnode *it;

	if (!g)
		return;
	if (g->ready)
		registrations_write(o);
	for (int i = 0; g->ready && i < o->hub->workers; i++)
		sd_event_source_unref(g->ready[i]);
	while (g->pending.bucket && (it = htab_walk(&g->pending, NULL)))
		pending_free(g, CONTAINER(it, struct pending, node));
	htab_done(&g->pending);
	free(g->ready);
	free(g);
	o->registrations = NULL;
}

/* ---- the operations ---- */

bool registration_is_live(struct ops *o, const char *user)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	const struct pending *p;

	read_all(o);
	p = find(o->registrations, str_of(user));
	if (p)
		return p->bytes.n > 1 + strlen(user); /* more than the name */
	if (stmt_prepare(&s, o->db, "SELECT 1 FROM registration WHERE phone = ? AND expires > ?") <
	    0)
		return false;
	stmt_bind_text(s, 1, str_of(user));
	stmt_bind_int(s, 2, clock_wall_ms());
	return stmt_step(s) == 1;
}

/* As a row of `registration list`, which has those at vendors, too. */
static json_t *row_json(const void *row)
{
	json_t *j = row_to_json(&entities[ENTITY_REGISTRATION], row);

	if (!j)
		return NULL;
	(void)json_object_set_new(j, "kind", json_string("phone"));
	(void)json_object_set_new(j, "state", json_string("registered"));
	(void)json_object_set(j, "name", json_object_get(j, "phone"));
	(void)json_object_set(j, "address", json_object_get(j, "source"));
	return j;
}

static int select_rows(struct ops *o, json_t *list)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	const struct entity *e = &entities[ENTITY_REGISTRATION];

	buf_putz(&sql, "SELECT ");
	rows_columns(e, &sql);
	buf_putz(&sql, " FROM registration WHERE expires > ?1");
	const char *query = buf_cstr(&sql);
	int r = query ? stmt_prepare(&s, o->db, query) : -ENOMEM;

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, clock_wall_ms());
	while ((r = stmt_step(s)) == 1) {
		void *row = rows_read(e, s, 0);

		r = row ? json_array_append_new(list, row_json(row)) : -1;
		row_free(e, row);
		if (r < 0)
			return -ENOMEM;
	}
	return r;
}

static bool row_holds(const json_t *row, struct str text)
{
	static const char *const fields[] = { "name", "address", "contact" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value = json_string_value(json_object_get(row, fields[i]));

		if (value && str_find(str_of(value), text) >= 0)
			return true;
	}
	return false;
}

void registrations_join(struct ops *o, const struct request *r, json_t *list)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	registrations_write(o);
	(void)select_rows(o, list);
	if (!arg_text(r, "text", &text) || text.n == 0)
		return;
	for (size_t i = json_array_size(list); i-- > 0;) {
		if (!row_holds(json_array_get(list, i), buf_str(&text)))
			(void)json_array_remove(list, i);
	}
}

/* The worker that the user belongs to ends it and mails that; the row goes at once. */
int registration_forget(struct ops *o, const char *user)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct ask a = { .kind = ASK_FORGET };
	struct pending *p;
	int unwritten = 0;

	read_all(o);
	p = find(o->registrations, str_of(user));
	if (p) {
		unwritten = p->bytes.n > 1 + strlen(user);
		pending_free(o->registrations, p);
	}
	if (str_copy(a.user, sizeof(a.user), str_of(user)) < 0)
		return 0;
	for (int i = 0; i < o->hub->workers; i++) {
		if (ring_push(o->c.asks[i], &a, sizeof(a), NULL, 0))
			ring_flush(o->c.asks[i]);
	}
	int r = stmt_prepare(&s, o->db, "DELETE FROM registration WHERE phone = ?");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(user));
	r = stmt_run(s);
	if (r < 0)
		return r;
	return db_changes(o->db) > 0 ? db_changes(o->db) : unwritten;
}

int registration_del(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf user = BUF_INIT;
	struct change c = { 0 };
	int n = 0, error = arg_need(r, "phone", &user, err);

	if (error == 0)
		error = change_begin(o, err);
	if (error < 0)
		return error;
	c.key = buf_cstr(&user);
	n = registration_forget(o, c.key);
	if (n == 0)
		error = err_set(err, ERR_NOT_FOUND, "phone", buf_str(&user),
				"one that `registration list` shows", "it is not registered");
	error = change_end(o, r, &c, n < 0 ? n : error, err);
	if (error == 0)
		*ret = json_pack("{s:s s:i}", "deleted", c.key, "contacts", n);
	return error;
}

/* ---- passwords ---- */

enum { PASSWORD_LENGTH = 16 };

int password_allow(const struct ops *o, const struct request *r, const struct entity *e,
		   struct err *err)
{
	const json_t *given = json_object_get(r->params, "password");
	int64_t least = param_int(catalog_world(o->catalog)->params, PARAM_SERVER_PASSWORD_LENGTH);
	size_t n = json_string_length(given);
	char accepted[80];

	if (e != &entities[ENTITY_PHONE] && e != &entities[ENTITY_MAPPING_GATEWAY])
		return 0;
	if (n == 0 || (int64_t)n >= least)
		return 0;
	(void)snprintf(accepted, sizeof(accepted), "%lld or more (SERVER_PASSWORD_LENGTH)",
		       (long long)least);
	return err_set(err, ERR_BAD_VALUE, "password", STR(""), accepted,
		       "a password of %zu characters", n);
}

int password_make(const struct ops *o, char **ret)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	struct str more = param_str(catalog_world(o->catalog)->params,
				    PARAM_SERVER_PASSWORD_TERMINAL_ADDITIONAL_CHARACTERS);
	uint32_t n = (uint32_t)sizeof(letters) - 1, all = n + (uint32_t)more.n;
	int64_t least = param_int(catalog_world(o->catalog)->params, PARAM_SERVER_PASSWORD_LENGTH);
	size_t length = (size_t)(least > PASSWORD_LENGTH ? least : PASSWORD_LENGTH);
	char *text = calloc(1, length + 1);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		uint32_t at = rand_below(all);

		text[i] = at < n ? letters[at] : more.p[at - n];
	}
	*ret = text;
	return 0;
}
