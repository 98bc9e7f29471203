#include "words.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/nearest.h"
#include "help.h"

/*
 * The operations of one entity stand together in the table, so a change of the name is a new
 * entity.
 */
static bool is_first_of_entity(int i)
{
	return i == 0 || strcmp(op_infos[i].entity, op_infos[i - 1].entity) != 0;
}

bool words_is_entity(struct str name)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (str_eq(str_of(op_infos[i].entity), name))
			return true;
	}
	return false;
}

/* "name: there is no such X", with the one that was probably meant. */
static int refuse_name(struct err *err, enum err_code code, struct nearest *n, const char *what,
		       struct buf *known)
{
	const char *accepted = buf_cstr(known);

	if (n->best)
		return err_set(err, code, "", n->given, accepted, "%s; did you mean %s?", what,
			       n->best);
	return err_set(err, code, "", n->given, accepted, "%s", what);
}

static void put_name(struct buf *names, const char *name)
{
	buf_printf(names, "%s%s", names->n ? ", " : "", name);
}

static int unknown_entity(struct str entity, struct err *err)
{
	CLEANUP(buf_done) struct buf known = BUF_INIT;
	struct nearest n = nearest_to(entity);

	for (int i = 0; i < OP_COUNT; i++) {
		if (is_first_of_entity(i)) {
			nearest_try(&n, op_infos[i].entity);
			put_name(&known, op_infos[i].entity);
		}
	}
	nearest_try(&n, "help");
	return refuse_name(err, ERR_UNKNOWN_OPERATION, &n, "there is no such entity", &known);
}

static int unknown_verb(struct str entity, struct str verb, struct err *err)
{
	CLEANUP(buf_done) struct buf known = BUF_INIT;
	CLEANUP(buf_done) struct buf what = BUF_INIT;
	struct nearest n = nearest_to(verb);

	for (int i = 0; i < OP_COUNT; i++) {
		if (str_eq(str_of(op_infos[i].entity), entity)) {
			nearest_try(&n, op_infos[i].verb);
			put_name(&known, op_infos[i].verb);
		}
	}
	buf_printf(&what, verb.n ? "%.*s has no such verb" : "%.*s needs a verb", STR_ARG(entity));
	return refuse_name(err, ERR_UNKNOWN_OPERATION, &n, buf_cstr(&what), &known);
}

enum op words_op(struct str entity, struct str verb, struct err *err)
{
	enum op op = op_find_verb(entity, verb.n ? verb : STR("show"));

	if (op != OP_COUNT && (verb.n || !op_infos[op].key[0]))
		return op;
	if (!words_is_entity(entity))
		(void)unknown_entity(entity, err);
	else
		(void)unknown_verb(entity, verb, err);
	return OP_COUNT;
}

static int unknown_field(const struct op_info *op, struct str name, struct err *err)
{
	CLEANUP(buf_done) struct buf known = BUF_INIT;
	CLEANUP(buf_done) struct buf what = BUF_INIT;
	struct nearest n = nearest_to(name);

	for (int i = -1; i < op->arg_count; i++) {
		const char *arg = i < 0 ? op->key : op->args[i].name;
		bool is_field = op->fields && entity_field(op->fields, str_of(arg)) >= 0;

		if (arg[0] && !is_field) {
			nearest_try(&n, arg);
			put_name(&known, arg);
		}
	}
	for (int i = 0; op->fields && i < op->fields->fields; i++) {
		const struct field *f = &op->fields->field[i];

		if (!(f->flags & (FIELD_AUTO | FIELD_COMPUTED))) {
			nearest_try(&n, f->name);
			put_name(&known, f->name);
		}
	}
	buf_printf(&what, "%s %s has no such field", op->entity, op->verb);
	if (known.n >= sizeof(err->accepted)) {
		buf_clear(&known);
		buf_printf(&known, "what `switchctl help %s %s` lists", op->entity, op->verb);
	}
	return refuse_name(err, ERR_UNKNOWN_FIELD, &n, buf_cstr(&what), &known);
}

const char *words_slot(const struct op_info *op, int n)
{
	if (op->key[0] && n-- == 0)
		return op->key;
	for (int i = 0; i < op->arg_count; i++) {
		if (op->args[i].is_required && n-- == 0)
			return op->args[i].name;
	}
	for (int i = 0; i < op->arg_count; i++) {
		if (!op->args[i].is_required && strcmp(op->args[i].name, "text") == 0 && n-- == 0)
			return op->args[i].name;
	}
	return NULL;
}

/*
 * Is there something to choose from in what is printed? Of what is read, but a file, which is fetched whole; and of the row that was
 * added or changed.
 */
static bool has_columns(const struct op_info *op)
{
	for (int i = 0; i < op->arg_count; i++) {
		if (op->args[i].is_save)
			return false;
	}
	return op->permission == PERM_READ || op->fields;
}

bool words_takes(const struct op_info *op, struct str name)
{
	if (str_eq(name, STR(WORDS_COLUMNS)))
		return has_columns(op);
	if (op->key[0] && str_eq(name, str_of(op->key)))
		return true;
	for (int i = 0; i < op->arg_count; i++) {
		if (str_eq(name, str_of(op->args[i].name)))
			return true;
	}
	return op->fields && entity_field(op->fields, name) >= 0;
}

bool words_split(struct str word, struct str *ret_name, struct str *ret_value)
{
	ptrdiff_t at = str_chr(word, '=');

	for (ptrdiff_t i = 0; i < at; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (!islower(c) && c != '_' && c != '-' && (i == 0 || !isdigit(c)))
			return false;
	}
	if (at <= 0)
		return false;
	*ret_name = str_head(word, (size_t)at);
	*ret_value = str_skip(word, (size_t)at + 1);
	return true;
}

/* A person names a file, the daemon gets its content: no daemon opens what an operator names. */
static int read_file(const char *name, struct str path, struct buf *out, struct err *err)
{
	CLEANUP(free) char *p = str_dup(path);
	int r = p ? file_read(p, WORDS_FILE_MAX, out, NULL) : -ENOMEM;

	if (r == 0 || r == -ENOMEM)
		return r;
	(void)err_set(err, ERR_BAD_VALUE, name, path, "a file that can be read",
		      "the file cannot be read: %s", strerror(-r));
	return -ENOENT;
}

/* Nothing behind the '=' means nothing at all: null. */
static int set(struct words *w, struct str name, struct str value, struct err *err)
{
	const struct op_arg *arg = op_arg_find(&op_infos[w->op], name);
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	CLEANUP(free) char *key = str_dup(name);

	if (!key)
		return -ENOMEM;
	if (str_eq(name, STR(WORDS_COLUMNS))) {
		w->columns = value;
		return 0;
	}
	if (json_object_get(w->params, key) || (arg && arg->is_save && w->save.p) ||
	    (arg && arg->is_send && w->send.p))
		return err_set(err, ERR_USAGE, key, value, NULL, "%s is given twice", key);

	if (arg && arg->is_save) {
		w->save = value;
		return 0;
	}
	if (arg && arg->is_send) {
		w->send = value;
		w->send_param = arg->name;
		return 0;
	}
	if (arg && arg->is_file) {
		int r = read_file(arg->name, value, &content, err);

		if (r < 0)
			return r;
		value = buf_str(&content);
	}
	json_t *v = value.n ? json_stringn(value.p, value.n) : json_null();
	if (!v)
		return err_set(err, ERR_BAD_VALUE, key, value, "UTF-8 text",
			       "the value cannot be read");
	return json_object_set_new(w->params, key, v) < 0 ? -ENOMEM : 0;
}

static int no_place(const struct op_info *op, struct str word, struct err *err)
{
	CLEANUP(buf_done) struct buf usage = BUF_INIT;

	help_put_usage(&usage, op);
	return err_set(err, ERR_USAGE, "", word, buf_cstr(&usage),
		       "a word without a name has no place here");
}

static bool is_given(const struct words *w, const char *name)
{
	const struct op_arg *arg = op_arg_find(&op_infos[w->op], str_of(name));

	if (arg && (arg->is_save || arg->is_send))
		return (arg->is_save ? w->save : w->send).n > 0;
	return json_object_get(w->params, name) != NULL;
}

static bool is_empty(const struct words *w, const char *name)
{
	return json_is_null(json_object_get(w->params, name));
}

static int read_word(struct words *w, struct str word, int *bare, struct err *err)
{
	const struct op_info *op = &op_infos[w->op];
	struct str name, value;

	if (words_split(word, &name, &value))
		return words_takes(op, name) ? set(w, name, value, err)
					     : unknown_field(op, name, err);

	/* A slot that was given by name is passed over. */
	const char *slot;
	do
		slot = words_slot(op, (*bare)++);
	while (slot && is_given(w, slot));
	return slot ? set(w, str_of(slot), word, err) : no_place(op, word, err);
}

/* A change is not made first and its answer complained of then. */
static int check_columns(const struct words *w, struct err *err)
{
	const struct op_info *op = &op_infos[w->op];
	struct str rest = w->columns, name;

	if (op->permission == PERM_READ)
		return 0;
	while (str_split(&rest, ',', &name)) {
		int i = entity_field(op->fields, name);

		if (i < 0 || op->fields->field[i].flags & FIELD_SECRET)
			return err_set(err, ERR_UNKNOWN_FIELD, WORDS_COLUMNS, name,
				       "fields of what is changed", "there is no such column");
	}
	return 0;
}

/* The key and the required arguments; an entity's required fields are the daemon's to ask for. */
static int check_complete(const struct words *w, struct err *err)
{
	CLEANUP(buf_done) struct buf usage = BUF_INIT;
	const struct op_info *op = &op_infos[w->op];

	for (int i = -1; i < op->arg_count; i++) {
		const char *name = i < 0 ? op->key : op->args[i].name;
		bool is_needed = i < 0 ? op->key[0] : op->args[i].is_required;

		if (!is_needed || (is_given(w, name) && !is_empty(w, name)))
			continue;
		help_put_usage(&usage, op);
		return err_set(err, ERR_MISSING_FIELD, name, STR(""), buf_cstr(&usage),
			       "%s %s needs %s", op->entity, op->verb, name);
	}
	return 0;
}

int words_parse(struct words *ret, const char *const *word, int n, struct err *err)
{
	struct str name, value, verb = STR("");
	int at = 1, bare = 0, r = 0;

	*ret = (struct words){ .op = OP_COUNT };
	if (n == 0)
		return err_set(err, ERR_USAGE, "", STR(""), "ENTITY VERB [KEY] [field=value ...]",
			       "nothing is asked");
	if (n > 1 && !words_split(str_of(word[1]), &name, &value))
		verb = str_of(word[at++]);

	ret->op = words_op(str_of(word[0]), verb, err);
	if (ret->op == OP_COUNT)
		return -EINVAL;
	ret->params = json_object();
	if (!ret->params)
		return -ENOMEM;
	for (; r == 0 && at < n; at++)
		r = read_word(ret, str_of(word[at]), &bare, err);
	if (r == 0)
		r = check_columns(ret, err);
	return r == 0 ? check_complete(ret, err) : r;
}

void words_done(struct words *w)
{
	json_decref(w->params);
	*w = (struct words){ .op = OP_COUNT };
}
