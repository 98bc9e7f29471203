#include "audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model/json.h"

struct row {
	const struct control *control;
	enum audit_state state;
	char *found; /* NULL: nothing to say */
};

struct audit {
	size_t rows;
	struct row row[];
};

static const char *const state_names[] = {
#define STATE_NAME(name, text) text,
	AUDIT_STATES(STATE_NAME)
#undef STATE_NAME
};

static int (*const checks[])(struct job *) = {
#define CHECK_FUNCTION(name) check_##name,
	CHECK_KINDS(CHECK_FUNCTION)
#undef CHECK_FUNCTION
};

/* --- which --- */

/* SSH-1 is named by SSH-1 and by SSH. */
static bool is_named(const char *id, const char *word)
{
	size_t n = strlen(word);

	return n > 0 && strncmp(id, word, n) == 0 && (id[n] == '\0' || id[n] == '-');
}

static bool is_wanted(const char *id, const char *const *ids)
{
	if (!ids[0])
		return true;
	for (; *ids; ids++) {
		if (is_named(id, *ids))
			return true;
	}
	return false;
}

static int check_ids(const char *const *ids, struct err *err)
{
	for (; *ids; ids++) {
		bool is_known = false;

		for (size_t i = 0; i < controls_count; i++)
			is_known |= is_named(controls[i].id, *ids);
		if (!is_known)
			return err_set(err, ERR_USAGE, "", str_of(*ids),
				       "SSH-1, or SSH for all of them: switch-audit list",
				       "there is no such control");
	}
	return 0;
}

int audit_create(struct audit **ret, const char *const *ids, struct err *err)
{
	int r = check_ids(ids, err);

	if (r < 0)
		return r;

	struct audit *a = calloc(1, sizeof(*a) + controls_count * sizeof(a->row[0]));

	if (!a)
		return -ENOMEM;
	for (size_t i = 0; i < controls_count; i++) {
		if (is_wanted(controls[i].id, ids))
			a->row[a->rows++] =
				(struct row){ .control = &controls[i], .state = AUDIT_SKIPPED };
	}
	*ret = a;
	return 0;
}

struct audit *audit_free(struct audit *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->rows; i++)
		free(a->row[i].found);
	free(a);
	return NULL;
}

/* --- how they are --- */

static int judge(struct row *row, struct job *j, int r)
{
	row->state = r < 0        ? AUDIT_UNKNOWN
		     : j->faults  ? AUDIT_FAILED
		     : j->fixed   ? AUDIT_FIXED
		     : j->skipped ? AUDIT_SKIPPED
				  : AUDIT_PASSED;
	if (r < 0)
		buf_printf(&j->found, "%scannot be looked at: %s", j->found.n ? "; " : "",
			   strerror(-r));
	else if (row->state == AUDIT_SKIPPED)
		buf_putz(&j->found, j->skipped);
	if (buf_error(&j->found))
		return -ENOMEM;

	char *found = j->found.n ? buf_steal(&j->found) : NULL;

	if (j->found.n && !found)
		return -ENOMEM;
	free(row->found);
	row->found = found;
	return 0;
}

int audit_check(struct audit *a, const struct tree *t, bool may_fix)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->rows; i++) {
		struct row *row = &a->row[i];
		struct job j = { .tree = t,
				 .control = row->control,
				 .args = str_of(row->control->argument),
				 .may_fix = may_fix };

		r = checks[row->control->kind](&j);
		r = r == -ENOMEM ? r : judge(row, &j, r);
		buf_done(&j.found);
	}
	return r;
}

/* --- what is said --- */

size_t audit_count(const struct audit *a, enum audit_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < a->rows; i++)
		n += a->row[i].state == state;
	return n;
}

/* What was found may hold the words of a file: it may not be UTF-8. */
static json_t *row_json(const struct row *row)
{
	const struct control *c = row->control;

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s}", "id", c->id, "kind",
			 check_kind_name(c->kind), "title", c->title, "state",
			 state_names[row->state], "found",
			 row->found ? json_of_text(str_of(row->found)) : json_null(), "why", c->why,
			 "fix", c->fix, "source", c->source);
}

json_t *audit_json(const struct audit *a, bool faults_only)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < a->rows; i++) {
		enum audit_state s = a->row[i].state;

		if (faults_only && s != AUDIT_FAILED && s != AUDIT_UNKNOWN)
			continue;
		if (json_array_append_new(rows, row_json(&a->row[i])) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}
