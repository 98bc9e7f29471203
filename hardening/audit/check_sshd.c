/* SSH, by what its configuration says. What it leaves to sshd's defaults is a fault: they move. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "sshd_conf.h"

static bool is_among(struct str item, struct str list)
{
	struct str one;

	while (str_split(&list, ',', &one)) {
		if (str_ieq(item, one))
			return true;
	}
	return false;
}

/* A leading + would add to sshd's defaults, which are not in the file. */
static bool is_within(struct str value, struct str allowed)
{
	struct str item;

	if (str_is_empty(value))
		return false;
	while (str_split(&value, ',', &item)) {
		if (!is_among(item, allowed))
			return false;
	}
	return true;
}

static bool is_at_most(struct str value, struct str most)
{
	uint32_t n, max;

	return str_to_u32(most, UINT32_MAX, &max) == 0 && str_to_u32(value, max, &n) == 0 && n > 0;
}

static void judge(struct job *j, const struct sshd_conf *c, struct str word)
{
	size_t n = strcspn(word.p, "=<~");
	struct str key = str_head(word, n), wanted, value;
	char rule = word.p[n];

	wanted = str_skip(word, n + (rule == '<' ? 2 : 1));
	if (!sshd_conf_get(c, key, &value)) {
		job_fault(j, "%.*s is not set", STR_ARG(key));
		return;
	}

	bool is_right = rule == '='   ? str_ieq(value, wanted)
			: rule == '<' ? is_at_most(value, wanted)
				      : is_within(value, wanted);

	if (!is_right)
		job_fault(j, "%.*s is %.*s, not %s%.*s", STR_ARG(key), STR_ARG(value),
			  rule == '<'   ? "at most "
			  : rule == '~' ? "among "
					: "",
			  STR_ARG(wanted));
}

int check_sshd(struct job *j)
{
	CLEANUP(sshd_conf_done) struct sshd_conf c;
	char word[TREE_PATH];
	int r = sshd_conf_read(&c, j->tree, "/etc/ssh/sshd_config");

	if (r == -ENOENT) {
		job_skip(j, "there is no sshd here");
		return 0;
	}
	while (r == 0 && job_word(j, word))
		judge(j, &c, str_of(word));
	return r;
}
