#include "complete.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "keys.h"
#include "model/op.h"
#include "model/param.h"
#include "model/reason.h"
#include "options.h"
#include "words.h"

/*
 * bash takes '=' and ':' for the ends of words and replaces only what stands behind the last of
 * them, so that is cut off each line. COMP_LINE is split anew for the same reason. A lone / stands for
 * the files that there are, which bash knows best.
 */
#define FILES_HERE "/"

static const char bash[] =
	"# bash completion for switchctl; see switchctl(1).\n"
	"_switchctl() {\n"
	"	local line word cut\n"
	"	local -a words\n"
	"	line=${COMP_LINE:0:COMP_POINT}\n"
	"	read -ra words <<<\"$line\"\n"
	"	if [[ $line == *[[:space:]] ]]; then words+=(\"\"); fi\n"
	"	word=${words[${#words[@]} - 1]}\n"
	"	cut=${word%\"${word##*[=:]}\"}\n"
	"	COMPREPLY=()\n"
	"	while IFS= read -r line; do\n"
	"		if [[ $line == " FILES_HERE
	" ]]; then compopt -o default 2>/dev/null; continue; fi\n"
	"		COMPREPLY+=(\"${line#\"$cut\"}\")\n"
	"	done < <(\"${words[0]}\" complete -- \"${words[@]:1}\" 2>/dev/null)\n"
	"	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then\n"
	"		compopt -o nospace 2>/dev/null\n"
	"	fi\n"
	"}\n"
	"complete -F _switchctl switchctl\n";

int complete_script(struct buf *out, const char *const *word, int n, struct err *err)
{
	if (n != 1 || strcmp(word[0], "bash") != 0)
		return err_set(err, ERR_USAGE, "", str_of(n ? word[0] : ""), "bash",
			       "which shell is it for?");
	buf_putz(out, bash);
	return 0;
}

/* What is being completed. */
struct place {
	struct buf *out;
	const char *socket;
	struct str
		typed; /* the part to be replaced: the word, or what follows its '=' or last ',' */
	struct str before; /* of the same word: "name=", "fields=a," */
};

static void offer(struct place *p, const char *name, const char *end)
{
	if (!str_has_prefix(str_of(name), p->typed))
		return;
	buf_put(p->out, p->before);
	buf_printf(p->out, "%s%s\n", name, end);
}

static void offer_key(void *ctx, const char *key)
{
	offer(ctx, key, "");
}

static void offer_all(struct place *p, const char *const *names)
{
	for (int i = 0; names && names[i]; i++)
		offer(p, names[i], "");
}

static void offer_entities(struct place *p)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (i == 0 || strcmp(op_infos[i].entity, op_infos[i - 1].entity) != 0)
			offer(p, op_infos[i].entity, "");
	}
}

static void offer_verbs(struct place *p, struct str entity)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (str_eq(str_of(op_infos[i].entity), entity))
			offer(p, op_infos[i].verb, "");
	}
}

/* --- values --- */

static void offer_field_value(struct place *p, const struct field *f)
{
	static const char *const bools[] = { "true", "false", NULL };

	offer_all(p, f->type == FIELD_BOOL ? bools : f->values);
	if (f->ref)
		keys_each(p->socket, f->ref, offer_key, p);
}

/* The choices of a parameter, whose name is the word before. */
static void offer_param_value(struct place *p, struct str name)
{
	static const char *const bools[] = { "On", "Off", NULL };
	enum param id = param_find(name);

	if (id != PARAM_COUNT)
		offer_all(p, param_infos[id].type == PARAM_T_BOOL ? bools : param_infos[id].values);
}

static void offer_columns(struct place *p, const struct op_info *op)
{
	const struct entity *e = entity_find(str_of(op->entity));

	for (size_t at = p->typed.n; at > 0; at--) {
		if (p->typed.p[at - 1] == ',') {
			p->before.n += at;
			p->typed = str_skip(p->typed, at);
			break;
		}
	}
	for (int i = 0; e && i < e->fields; i++) {
		if (!(e->field[i].flags & FIELD_SECRET))
			offer(p, e->field[i].name, "");
	}
}

/* Of which entity's rows a key or an argument of that name is the key, where no field says so. */
static const struct {
	const char *arg, *entity;
} kinds[] = {
	{ "gateway", "mapping-gateway" },
	{ "account", "account" },
	{ "mapping_gateway", "mapping-gateway" },
	{ "routing_gateway", "routing-gateway" },
	{ "rule", "spend-rule" },
	{ "phone", "phone" },
};

static const char *kind_named(struct str name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_eq(name, str_of(kinds[i].arg)))
			return kinds[i].entity;
	}
	return NULL;
}

static void offer_named(struct place *p, const struct op_info *op, struct str name)
{
	const char *kind = kind_named(name);

	if (str_eq(name, STR("reason"))) {
		for (int i = 1; i < REASON_COUNT; i++)
			offer(p, reason_name((enum reason)i), "");
		return;
	}
	if (op - op_infos == OP_CALL_TEST && str_eq(name, STR("gateway"))) {
		keys_each(p->socket, "routing-gateway", offer_key, p);
		return;
	}
	if (kind)
		keys_each(p->socket, kind, offer_key, p);
}

/* What an operation's arguments are fields of: a payment is made by an operation of the account. */
static const struct entity *entity_of(const struct op_info *op)
{
	return op - op_infos == OP_ACCOUNT_RECHARGE ? entity_find(STR("payment"))
						    : entity_find(str_of(op->entity));
}

/*
 * An argument is a key of the entity of its name, or refers to what the entity's field of that
 * name does.
 */
static void offer_arg_value(struct place *p, const struct op_info *op, struct str name)
{
	const struct entity *e = entity_of(op);
	const struct op_arg *arg = op_arg_find(op, name);
	int i = e ? entity_field(e, name) : -1;

	if (arg && (arg->is_file || arg->is_send || arg->is_save))
		buf_putz(p->out, FILES_HERE "\n");
	else if (i >= 0 &&
		 (e->field[i].ref || e->field[i].values || e->field[i].type == FIELD_BOOL))
		offer_field_value(p, &e->field[i]);
	else
		offer_named(p, op, name);
}

/* The key is one of the entity's own, but where it names what another entity has: rate undo GROUP, spend reset RULE. */
static const char *entity_of_key(const struct op_info *op)
{
	const struct entity *e = entity_find(str_of(op->entity));
	int i = e ? entity_field(e, str_of(op->key)) : -1;
	const char *kind = kind_named(str_of(op->key));

	return i >= 0 && e->field[i].ref ? e->field[i].ref : kind ? kind : op->entity;
}

static void offer_value(struct place *p, const struct op_info *op, struct str name)
{
	int i = op->fields ? entity_field(op->fields, name) : -1;

	if (op->key[0] && str_eq(name, str_of(op->key)))
		keys_each(p->socket, entity_of_key(op), offer_key, p);
	else if (str_eq(name, STR(WORDS_COLUMNS)))
		offer_columns(p, op);
	else if (i >= 0)
		offer_field_value(p, &op->fields->field[i]);
	else
		offer_arg_value(p, op, name);
}

/* --- words --- */

static bool is_given(const char *const *word, int n, const char *wanted)
{
	struct str name, value;

	for (int i = 0; i < n; i++) {
		if (words_split(str_of(word[i]), &name, &value) && str_eq(name, str_of(wanted)))
			return true;
	}
	return false;
}

static void offer_names(struct place *p, const struct op_info *op, const char *const *word, int n)
{
	for (int i = 0; i < op->arg_count; i++) {
		if (!is_given(word, n, op->args[i].name))
			offer(p, op->args[i].name, "=");
	}
	for (int i = 0; op->fields && i < op->fields->fields; i++) {
		const struct field *f = &op->fields->field[i];

		if (!(f->flags & (FIELD_AUTO | FIELD_COMPUTED)) && !is_given(word, n, f->name))
			offer(p, f->name, "=");
	}
	if (words_takes(op, STR(WORDS_COLUMNS)) && !is_given(word, n, WORDS_COLUMNS))
		offer(p, WORDS_COLUMNS, "=");
}

/* word: what stands behind the verb already. */
static void offer_for_op(struct place *p, const struct op_info *op, const char *const *word, int n)
{
	struct str name, value;
	int bare = 0;

	for (int i = 0; i < n; i++)
		bare += !words_split(str_of(word[i]), &name, &value);
	if (words_split(p->typed, &name, &value)) {
		p->before = str_head(p->typed, name.n + 1);
		p->typed = value;
		offer_value(p, op, name);
		return;
	}

	const char *slot = words_slot(op, bare);
	if (op - op_infos == OP_PARAMETER_SET && bare == 1)
		offer_param_value(p, str_of(word[0]));
	else if (slot)
		offer_value(p, op, str_of(slot));
	offer_names(p, op, word, n);
}

static void offer_first(struct place *p)
{
	static const char *const others[] = { "help",      "completion", "--json",
					      "--dry-run", "--socket=",  NULL };

	offer_entities(p);
	offer_all(p, others);
}

static void offer_next(struct place *p, const char *const *word, int n)
{
	struct str first = str_of(n ? word[0] : ""), second = str_of(n > 1 ? word[1] : "");
	struct str name, value;

	if (n == 0) {
		offer_first(p);
	} else if (str_eq(first, STR("completion"))) {
		offer(p, n == 1 ? "bash" : "", "");
	} else if (str_eq(first, STR("help"))) {
		if (n == 1)
			offer_entities(p);
		else if (n == 2)
			offer_verbs(p, second);
	} else if (n == 1 && !words_split(p->typed, &name, &value)) {
		offer_verbs(p, first);
	} else {
		enum op op = words_op(first, second, NULL);

		if (op != OP_COUNT)
			offer_for_op(p, &op_infos[op], word + 2, n > 2 ? n - 2 : 0);
	}
}

int complete(struct buf *out, const char *const *word, int n)
{
	CLEANUP(options_done) struct options o = { 0 };
	CLEANUP(free) const char **line = calloc((size_t)n + 1, sizeof(*line));
	struct err ignored = ERR_INIT;

	if (n == 0)
		return 0;
	if (!line)
		return -ENOMEM;

	/*
	 * The words before the last one, with a first one that options_parse takes for the
	 * program.
	 */
	memcpy(line + 1, word, (size_t)(n - 1) * sizeof(*line));
	line[0] = "switchctl";
	line[n] = NULL;
	int r = options_parse(&o, n, line, &ignored);
	if (r < 0)
		return r == -EINVAL ? 0 : r;

	struct place p = { .out = out, .socket = o.socket, .typed = str_of(word[n - 1]) };
	offer_next(&p, o.word, o.words);
	return buf_error(out);
}
