#include "model/param.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "model/value.h"

#include "params.inc"

/* A value is kept both ways: as the number that calls read, and as the text that people see. */
struct value {
	int64_t n;        /* PARAM_UNSET; of a text 0 */
	const char *text; /* own, or the table's default */
	char *own;
};

struct params {
	struct value value[PARAM_COUNT];
};

static const char *const off_on[] = { "Off", "On", NULL };

static const struct {
	const char *name;
	enum value_kind kind;
	enum value_kind item;
} types[] = {
	[PARAM_T_INT] = { "int", VALUE_INT, 0 },
	[PARAM_T_BOOL] = { "bool", VALUE_BOOL, 0 },
	[PARAM_T_DURATION] = { "duration", VALUE_INT, 0 },
	[PARAM_T_DECIMAL] = { "decimal", VALUE_DECIMAL, 0 },
	[PARAM_T_ENUM] = { "enum", VALUE_CHOICE, 0 },
	[PARAM_T_STRING] = { "string", VALUE_TEXT, 0 },
	[PARAM_T_LIST] = { "list", VALUE_LIST, VALUE_TEXT },
	[PARAM_T_INTS] = { "ints", VALUE_LIST, VALUE_INT },
	[PARAM_T_NUMBERS] = { "numbers", VALUE_LIST, VALUE_NUMBER },
	[PARAM_T_RANGE] = { "range", VALUE_RANGE, 0 },
};

static struct value_rule rule_of(const struct param_info *info)
{
	bool is_choices = info->type == PARAM_T_LIST && info->values;

	return (struct value_rule){
		.kind = types[info->type].kind,
		.item = is_choices ? VALUE_CHOICE : types[info->type].item,
		.min = info->min == INT64_MIN ? VALUE_MIN : info->min,
		.max = info->max,
		.unit = info->unit,
		.values = info->type == PARAM_T_BOOL ? off_on : info->values,
	};
}

static bool is_text(const struct param_info *info)
{
	return value_is_text(types[info->type].kind);
}

/* The word of a number ("Auto", "None") that this text is; NULL if it is none. */
static const char *unset_word(const struct param_info *info, struct str text)
{
	if (is_text(info) || info->type == PARAM_T_ENUM)
		return NULL;
	for (int i = 0; info->values && info->values[i]; i++) {
		if (str_ieq(text, str_of(info->values[i])))
			return info->values[i];
	}
	return NULL;
}

enum param param_find(struct str name)
{
	for (int i = 0; i < PARAM_COUNT; i++) {
		if (str_ieq(name, str_of(param_infos[i].name)))
			return (enum param)i;
		for (int k = 0; param_infos[i].aliases && param_infos[i].aliases[k]; k++) {
			if (str_ieq(name, str_of(param_infos[i].aliases[k])))
				return (enum param)i;
		}
	}
	return PARAM_COUNT;
}

int param_unknown(struct str name, enum err_code code, const char *field, const char *accepted,
		  struct err *err)
{
	struct nearest n = nearest_to(name);

	for (int i = 0; i < PARAM_COUNT; i++) {
		nearest_try(&n, param_infos[i].name);
		for (int k = 0; param_infos[i].aliases && param_infos[i].aliases[k]; k++)
			nearest_try(&n, param_infos[i].aliases[k]);
	}
	if (n.best)
		return err_set(err, code, field, name, accepted,
			       "there is no such parameter; did you mean %s?", n.best);
	return err_set(err, code, field, name, accepted, "there is no such parameter");
}

const char *param_type_name(enum param_type t)
{
	return types[t].name;
}

const char *param_effect_name(enum param_effect e)
{
	static const char *const names[] = {
		[EFFECT_NONE_YET] = "none yet",
		[EFFECT_LIVE] = "live",
		[EFFECT_NOT_SUPPORTED] = "not supported",
	};

	return names[e];
}

/* Texts may be empty, and what is unset by default may be unset again. */
static bool may_be_empty(const struct param_info *info)
{
	return info->default_text[0] == '\0' || (is_text(info) && info->type != PARAM_T_RANGE);
}

void param_accepts(enum param id, struct buf *out)
{
	const struct param_info *info = &param_infos[id];
	struct value_rule rule = rule_of(info);

	value_accepts(&rule, out);
	if (!is_text(info) && info->type != PARAM_T_ENUM && info->values)
		buf_printf(out, "; or %s", info->values[0]);
	if (may_be_empty(info))
		buf_putz(out, "; or nothing");
}

/* --- a set of values --- */

struct params *params_create(void)
{
	struct params *p = calloc(1, sizeof(*p));

	for (int i = 0; p && i < PARAM_COUNT; i++)
		params_reset(p, (enum param)i);
	return p;
}

struct params *params_copy(const struct params *p)
{
	struct params *copy = calloc(1, sizeof(*copy));

	for (int i = 0; copy && i < PARAM_COUNT; i++) {
		struct value *v = &copy->value[i];

		*v = p->value[i];
		if (!v->own)
			continue;
		v->own = str_dup(str_of(v->text));
		v->text = v->own;
		if (!v->own)
			copy = params_free(copy);
	}
	return copy;
}

struct params *params_free(struct params *p)
{
	for (int i = 0; p && i < PARAM_COUNT; i++)
		free(p->value[i].own);
	free(p);
	return NULL;
}

void params_reset(struct params *p, enum param id)
{
	const struct param_info *info = &param_infos[id];
	struct value_rule rule = rule_of(info);
	struct value *v = &p->value[id];
	struct str text = str_of(info->default_text);

	free(v->own);
	*v = (struct value){ .text = info->default_text };
	if (is_text(info))
		return;
	/* gen.py has checked that the table's default is accepted. */
	if (value_parse(&rule, text, &v->n, NULL) < 0)
		v->n = PARAM_UNSET;
}

/* The one form in which a value is shown: what was given, parsed and written again. */
static void put_form(const struct param_info *info, int64_t n, struct buf *out)
{
	if (info->type == PARAM_T_BOOL)
		buf_putz(out, off_on[n]);
	else if (info->type == PARAM_T_ENUM)
		buf_putz(out, info->values[n]);
	else if (info->type == PARAM_T_DECIMAL)
		buf_put_money(out, n);
	else if (!is_text(info))
		buf_put_i64(out, n);
}

static int refuse(enum param id, struct str given, struct err *err)
{
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;
	const char *name = param_infos[id].name;

	param_accepts(id, &accepted);
	return err_set(err, ERR_BAD_VALUE, name, given, buf_cstr(&accepted),
		       "%s does not accept this value", name);
}

static int keep(struct value *v, int64_t n, struct str text)
{
	char *own = str_dup(text);

	if (!own)
		return -ENOMEM;
	free(v->own);
	*v = (struct value){ n, own, own };
	return 0;
}

int params_set(struct params *p, enum param id, struct str text, struct err *err)
{
	const struct param_info *info = &param_infos[id];
	struct value_rule rule = rule_of(info);
	CLEANUP(buf_done) struct buf form = BUF_INIT;
	const char *word = unset_word(info, text);
	int64_t n = 0;

	if (word || (str_is_empty(text) && may_be_empty(info)))
		return keep(&p->value[id], is_text(info) ? 0 : PARAM_UNSET,
			    word ? str_of(word) : STR(""));

	int r = value_parse(&rule, text, &n, &form);
	if (r == -EINVAL)
		return refuse(id, text, err);
	put_form(info, n, &form);
	r = r < 0 ? r : buf_error(&form);
	return r < 0 ? r : keep(&p->value[id], n, buf_str(&form));
}

/* --- reading --- */

int64_t param_int(const struct params *p, enum param id)
{
	assert(!is_text(&param_infos[id]));
	return p->value[id].n;
}

bool param_bool(const struct params *p, enum param id)
{
	assert(param_infos[id].type == PARAM_T_BOOL);
	return p->value[id].n == 1;
}

struct str param_str(const struct params *p, enum param id)
{
	return str_of(p->value[id].text);
}

void param_range(const struct params *p, enum param id, int64_t *ret_first, int64_t *ret_last)
{
	struct str rest = param_str(p, id), first;

	assert(param_infos[id].type == PARAM_T_RANGE);
	(void)str_split(&rest, ',', &first);
	(void)str_to_i64(first, 0, INT64_MAX, ret_first);
	(void)str_to_i64(rest, 0, INT64_MAX, ret_last);
}

bool param_is_default(const struct params *p, enum param id)
{
	return str_eq(param_str(p, id), str_of(param_infos[id].default_text));
}

bool param_list_has(const struct params *p, enum param id, struct str item)
{
	struct str rest = param_str(p, id), each;

	assert(types[param_infos[id].type].kind == VALUE_LIST);
	while (str_split(&rest, ',', &each)) {
		if (str_eq(each, item))
			return true;
	}
	return false;
}
