#include "job.h"

#include <stdarg.h>
#include <string.h>

static struct str next(struct str *rest)
{
	struct str word = { 0 };

	while (str_is_empty(word) && str_split(rest, ' ', &word))
		continue;
	return word;
}

bool job_word(struct job *j, char word[TREE_PATH])
{
	struct str s = next(&j->args);

	return !str_is_empty(s) && str_copy(word, TREE_PATH, s) == 0;
}

struct str job_peek(const struct job *j)
{
	struct str rest = j->args;

	return next(&rest);
}

bool job_value(const char *word, const char *key, const char **ret)
{
	size_t n = strlen(key);

	if (strncmp(word, key, n) != 0 || word[n] != '=')
		return false;
	*ret = word + n + 1;
	return true;
}

__attribute__((format(printf, 2, 0))) static void say(struct job *j, const char *fmt, va_list ap)
{
	unsigned said = j->faults + j->fixed;

	if (said <= JOB_FAULTS_SHOWN) {
		if (said > 1)
			buf_putz(&j->found, "; ");
		buf_vprintf(&j->found, fmt, ap);
	} else if (said == JOB_FAULTS_SHOWN + 1) {
		buf_putz(&j->found, "; and more");
	}
}

void job_fault(struct job *j, const char *fmt, ...)
{
	va_list ap;

	j->faults++;
	va_start(ap, fmt);
	say(j, fmt, ap);
	va_end(ap);
}

void job_fixed(struct job *j, const char *fmt, ...)
{
	va_list ap;

	j->fixed++;
	va_start(ap, fmt);
	say(j, fmt, ap);
	va_end(ap);
}

void job_skip(struct job *j, const char *why)
{
	j->skipped = why;
}
