#include "model/answers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "model/answer_check.h"

#include "answers.inc"

struct item {
	char *text;
	uint32_t line;
};

struct value {
	struct item *item;
	size_t count;
};

struct answers {
	struct value value[ANSWER_COUNT];
};

enum { ITEMS_MAX = 10000 };

enum answer answer_find(struct str name)
{
	for (int i = 0; i < ANSWER_COUNT; i++) {
		if (str_eq(name, str_of(answer_infos[i].name)))
			return (enum answer)i;
	}
	return ANSWER_COUNT;
}

struct answers *answers_create(void)
{
	return calloc(1, sizeof(struct answers));
}

struct answers *answers_free(struct answers *a)
{
	for (int i = 0; a && i < ANSWER_COUNT; i++)
		answers_reset(a, (enum answer)i);
	free(a);
	return NULL;
}

static int append(struct value *v, struct str text, uint32_t line)
{
	struct item *item = reallocarray(v->item, v->count + 1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	v->item = item;
	item[v->count] = (struct item){ str_dup(text), line };
	if (!item[v->count].text)
		return -ENOMEM;
	v->count++;
	return 0;
}

struct answers *answers_copy(const struct answers *a)
{
	CLEANUP(answers_free) struct answers *copy = answers_create();

	for (int i = 0; copy && i < ANSWER_COUNT; i++) {
		const struct value *v = &a->value[i];

		for (size_t k = 0; k < v->count; k++) {
			if (append(&copy->value[i], str_of(v->item[k].text), v->item[k].line) < 0)
				return NULL;
		}
	}
	return TAKE(copy);
}

void answers_reset(struct answers *a, enum answer id)
{
	struct value *v = &a->value[id];

	for (size_t i = 0; i < v->count; i++)
		free(v->item[i].text);
	free(v->item);
	*v = (struct value){ 0 };
}

int answers_set(struct answers *a, enum answer id, struct str text, uint32_t line, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;
	struct value fresh = { 0 };

	if (!str_is_empty(text)) {
		int r = answer_check(id, text, &form, err);

		if (r == 0)
			r = append(&fresh, buf_str(&form), line);
		if (r < 0) {
			free(fresh.item);
			return r;
		}
	}
	answers_reset(a, id);
	a->value[id] = fresh;
	return 0;
}

int answers_add(struct answers *a, enum answer id, struct str text, uint32_t line, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;

	assert(answer_infos[id].flags & ANSWER_REPEAT);
	if (a->value[id].count == ITEMS_MAX)
		return err_set(err, ERR_BAD_VALUE, answer_infos[id].name, text,
			       "at most 10000 of them", "there are too many");
	int r = answer_check(id, text, &form, err);
	return r < 0 ? r : append(&a->value[id], buf_str(&form), line);
}

bool answers_is_set(const struct answers *a, enum answer id)
{
	return a->value[id].count > 0;
}

struct str answers_str(const struct answers *a, enum answer id)
{
	const struct value *v = &a->value[id];

	return str_of(v->count ? v->item[0].text : answer_infos[id].default_text);
}

size_t answers_count(const struct answers *a, enum answer id)
{
	return a->value[id].count;
}

struct str answers_item(const struct answers *a, enum answer id, size_t i)
{
	assert(i < a->value[id].count);
	return str_of(a->value[id].item[i].text);
}

uint32_t answers_line(const struct answers *a, enum answer id, size_t i)
{
	return i < a->value[id].count ? a->value[id].item[i].line : 0;
}

int64_t answers_int(const struct answers *a, enum answer id)
{
	const struct answer_info *info = &answer_infos[id];
	struct str text = answers_str(a, id);
	int64_t n = -1;

	if (info->type == ANSWER_T_INT) {
		(void)str_to_i64(text, info->min, info->max, &n);
		return n;
	}
	assert(info->values);
	for (int i = 0; info->values[i]; i++) {
		if (str_eq(text, str_of(info->values[i])))
			return i;
	}
	return -1;
}

bool answers_bool(const struct answers *a, enum answer id)
{
	assert(answer_infos[id].type == ANSWER_T_BOOL);
	return answers_int(a, id) == 1;
}

void answers_ports(const struct answers *a, enum answer id, uint16_t *ret_first, uint16_t *ret_last)
{
	struct str first, rest = answers_str(a, id);
	uint32_t n = 0;

	assert(answer_infos[id].type == ANSWER_T_PORTS);
	(void)str_split(&rest, '-', &first);
	(void)str_to_u32(first, UINT16_MAX, &n);
	*ret_first = (uint16_t)n;
	(void)str_to_u32(rest, UINT16_MAX, &n);
	*ret_last = (uint16_t)n;
}
