/* What systemd is told: of a service, and of itself and its parts. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "ini.h"

/* KEY=VALUE; KEY,KEY#N: the first of them that is set has at least N words. */
static int judge(struct job *j, const char *name, const struct ini *ini, const char *word)
{
	CLEANUP(buf_done) struct buf value = BUF_INIT;
	size_t n = strcspn(word, "=#");
	struct str keys = str_n(word, n), key = { 0 };
	struct str wanted = word[n] ? str_of(word + n + 1) : STR("");
	bool is_set = false;
	uint32_t least;

	while (!is_set && str_split(&keys, ',', &key))
		is_set = ini_get(ini, key, &value);
	if (buf_error(&value))
		return -ENOMEM;
	if (!is_set)
		job_fault(j, "%s does not set %.*s", name, STR_ARG(key));
	else if (word[n] == '=' && !str_eq(buf_str(&value), wanted))
		job_fault(j, "%s has %.*s=%.*s, not %.*s", name, STR_ARG(key),
			  STR_ARG(buf_str(&value)), STR_ARG(wanted));
	else if (word[n] == '#' && (str_to_u32(wanted, UINT32_MAX, &least) < 0 ||
				    str_count(buf_str(&value), ',') < least))
		job_fault(j, "%s has %.*s=%.*s, not %.*s of them", name, STR_ARG(key),
			  STR_ARG(buf_str(&value)), STR_ARG(wanted));
	return 0;
}

static int look_at(struct job *j, const char *name, struct str rules, bool is_unit)
{
	CLEANUP(ini_done) struct ini ini;
	struct job words = { .args = rules };
	char word[TREE_PATH];
	int r = ini_read(&ini, j->tree, name, is_unit);

	if (r == 0 && ini.files == 0) {
		job_fault(j, "there is no %s", name);
		return 0;
	}
	while (r == 0 && job_word(&words, word))
		r = judge(j, name, &ini, word);
	return r;
}

static bool is_rule(struct str word)
{
	return str_chr(word, '=') >= 0 || str_chr(word, '#') >= 0;
}

/* Names first, then what holds for each of them. */
static int check(struct job *j, bool is_unit)
{
	struct job names = *j;
	char word[TREE_PATH];
	int r = 0;

	while (!str_is_empty(job_peek(j)) && !is_rule(job_peek(j)))
		(void)job_word(j, word);
	while (r == 0 && !is_rule(job_peek(&names)) && job_word(&names, word))
		r = look_at(j, word, j->args, is_unit);
	return r;
}

int check_unit(struct job *j)
{
	return check(j, true);
}

int check_ini(struct job *j)
{
	return check(j, false);
}
