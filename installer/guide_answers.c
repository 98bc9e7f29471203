#include "guide_answers.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/answer_check.h"
#include "model/answers_file.h"

static int check(void *ctx, const char *name, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;
	enum answer id = answer_find(str_of(name));

	(void)ctx;
	return id == ANSWER_COUNT || str_is_empty(text) ? 0 : answer_check(id, text, &form, err);
}

int guide_answers_add_one(struct guide *g, struct form *f, enum answer id)
{
	const struct answer_info *info = &answer_infos[id];
	CLEANUP(buf_done) struct buf accepts = BUF_INIT;

	answer_accepts(id, &accepts);
	const struct form_item item = {
		.name = info->name,
		.kind = info->values ? FORM_CHOICE : FORM_TEXT,
		.help = info->help,
		.accepts = buf_cstr(&accepts),
		.values = info->values,
		.check = check,
	};
	return item.accepts ? form_add(f, &item, answers_str(g->setup->answers, id)) : -ENOMEM;
}

int guide_answers_add(struct guide *g, struct form *f, const char *screen)
{
	int r = 0;

	for (int i = 0; r == 0 && i < ANSWER_COUNT; i++) {
		if (strcmp(answer_infos[i].screen, screen) == 0)
			r = guide_answers_add_one(g, f, (enum answer)i);
	}
	return r;
}

static bool is_default(enum answer id, struct str value)
{
	return str_eq(value, str_of(answer_infos[id].default_text));
}

/* What stands at its default and was never answered stays unanswered. */
static int take_one(struct answers *a, const struct form *f, enum answer id, struct err *err)
{
	struct str value = form_value(f, answer_infos[id].name);

	if (!answers_is_set(a, id) && is_default(id, value))
		return 0;
	return answers_set(a, id, value, 0, err);
}

int guide_answers_take(struct guide *g, const struct form *f, const char *screen, struct err *err)
{
	CLEANUP(answers_free) struct answers *a = answers_copy(g->setup->answers);
	struct answers_report report;
	int r = a ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < ANSWER_COUNT; i++) {
		if (strcmp(answer_infos[i].screen, screen) == 0)
			r = take_one(a, f, (enum answer)i, err);
	}
	if (r == 0)
		r = answers_check_able(a, &report);
	if (r == -EINVAL && !err_is_set(err))
		*err = report.fault[0].err;
	if (r < 0)
		return r;
	answers_free(g->setup->answers);
	g->setup->answers = TAKE(a);
	return 0;
}
