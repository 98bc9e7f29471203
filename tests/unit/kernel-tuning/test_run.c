#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel-tuning/run.h"
#include "kernel-tuning/setting.h"

enum { WORDS = 12 };

static char root[64];
static char *out, *err;

/* --- a /proc/sys of our own --- */

static void path_of(char *path, size_t size, const char *key)
{
	(void)snprintf(path, size, "%s/proc/sys/%s", root, key);
}

static void make_parents(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
}

static void put(const char *key, const char *value)
{
	char path[256];

	path_of(path, sizeof(path), key);
	make_parents(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	(void)close(fd);
}

static const char *get(const char *key)
{
	static char value[256];
	char path[256];

	path_of(path, sizeof(path), key);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return "none";
	ssize_t n = read(fd, value, sizeof(value) - 1);
	(void)close(fd);
	value[n > 0 ? n : 0] = '\0';
	return value;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int make_root(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/tune-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	put("net/core/rmem_max", "212992\n");
	put("net/core/somaxconn", "65536\n");
	put("net/ipv4/tcp_syncookies", "1\n");
	put("net/ipv4/ip_local_reserved_ports", "\n");
	put("net/ipv4/conf/all/rp_filter", "0\n");
	put("net/ipv4/conf/eth0.100/rp_filter", "0\n");
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	free(out);
	free(err);
	out = err = NULL;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- what it says --- */

static int tune(const char *line)
{
	const char *word[WORDS] = { "switch-tune", "--root", root };
	char copy[128];
	char *rest = copy;
	size_t n;
	int words = 3;

	free(out);
	free(err);
	FILE *o = open_memstream(&out, &n), *e = open_memstream(&err, &n);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	while (rest && line[0] && words < WORDS)
		word[words++] = strsep(&rest, " ");
	int status = run(words, word, o, e);
	(void)fclose(o);
	(void)fclose(e);
	return status;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

/* The member of the row with that key, from the JSON that was printed; the caller frees it. */
static char *said(const char *key, const char *member)
{
	json_t *rows = json_loads(out, 0, NULL);
	char *text = NULL;
	size_t i;
	json_t *row;

	assert_non_null(rows);
	json_array_foreach(rows, i, row)
	{
		const char *k = json_string_value(json_object_get(row, "key"));
		json_t *v = json_object_get(row, member);

		if (k && strcmp(k, key) == 0)
			text = json_dumps(v, JSON_ENCODE_ANY);
	}
	json_decref(rows);
	return text;
}

static void assert_said(const char *key, const char *member, const char *value)
{
	char *text = said(key, member);

	if (!text)
		fail_msg("nothing of %s is said", key);
	assert_string_equal(text, value);
	free(text);
}

/* --- the tests --- */

static void the_table_is_as_the_operators_know_it(void **state)
{
	static const struct {
		const char *key, *value;
	} known[] = {
		{ "net.core.rmem_default", "16777216" },
		{ "net.core.rmem_max", "16777216" },
		{ "net.core.wmem_default", "16777216" },
		{ "net.core.wmem_max", "16777216" },
		{ "net.core.netdev_max_backlog", "5000" },
		{ "net.netfilter.nf_conntrack_max", "1048576" },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		size_t found = 0;

		for (size_t i = 0; i < settings_count; i++) {
			if (strcmp(settings[i].key, known[k].key) != 0)
				continue;
			assert_string_equal(settings[i].value, known[k].value);
			assert_false(settings[i].is_least);
			found++;
		}
		assert_int_equal(found, 1);
	}
}

static void apply_writes_what_differs_and_only_that(void **state)
{
	(void)state;
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("net/core/rmem_max"), "16777216");
	assert_string_equal(get("net/ipv4/conf/all/rp_filter"), "1");
	assert_string_equal(get("net/ipv4/conf/eth0.100/rp_filter"), "1");
	assert_string_equal(get("net/ipv4/tcp_syncookies"), "1\n");
	assert_string_equal(get("net/core/somaxconn"), "65536\n");
	assert_said("net.core.rmem_max", "was", "\"212992\"");
	assert_said("net.core.rmem_max", "now", "\"16777216\"");
	assert_said("net.core.rmem_max", "state", "\"changed\"");
	assert_said("net.core.somaxconn", "state", "\"right\"");
	assert_said("net.ipv4.conf.eth0/100.rp_filter", "state", "\"changed\"");
}

static void the_media_ports_are_kept_from_others(void **state)
{
	(void)state;
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_string_equal(get("net/ipv4/ip_local_reserved_ports"), "10000-20000");
	assert_int_equal(tune("--media-ports 40000-40999 apply"), RUN_DONE);
	assert_string_equal(get("net/ipv4/ip_local_reserved_ports"), "40000-40999");
}

static void the_media_ports_come_from_the_machines_configuration(void **state)
{
	(void)state;
	put("../../etc/tandem/tandem.conf", "media_ports = 30000-30999\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_string_equal(get("net/ipv4/ip_local_reserved_ports"), "30000-30999");
	put("../../etc/tandem/tandem.conf", "media_ports = all\nsip_port = 5070\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_has(err, "line 1: media_ports");
	assert_string_equal(get("net/ipv4/ip_local_reserved_ports"), "10000-20000");
}

static void a_dry_run_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(tune("--dry-run --json apply"), RUN_DONE);
	assert_string_equal(get("net/core/rmem_max"), "212992\n");
	assert_said("net.core.rmem_max", "state", "\"would\"");
	assert_int_equal(tune("--dry-run apply"), RUN_DONE);
	assert_has(out, "4 would be changed");
}

static void verify_says_what_differs(void **state)
{
	(void)state;
	assert_int_equal(tune("verify"), RUN_FAULTS);
	assert_has(out, "net.core.rmem_max");
	assert_null(strstr(out, "tcp_syncookies"));
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_int_equal(tune("verify"), RUN_DONE);
	put("net/core/rmem_max", "1\n");
	assert_int_equal(tune("--json verify"), RUN_FAULTS);
	assert_said("net.core.rmem_max", "now", "\"1\"");
	assert_null(said("net.core.somaxconn", "now"));
}

static void what_the_kernel_lacks_is_reported_and_no_failure(void **state)
{
	(void)state;
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_said("net.netfilter.nf_conntrack_max", "state", "\"missing\"");
	assert_said("net.netfilter.nf_conntrack_max", "now", "null");
	assert_said("net.ipv6.conf.*.forwarding", "state", "\"missing\"");
	assert_string_equal(get("net/netfilter/nf_conntrack_max"), "none");
}

static void a_value_of_several_words_is_read_with_single_blanks(void **state)
{
	(void)state;
	put("net/ipv4/ip_local_reserved_ports", "  1\t\t2 3\n\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("net.ipv4.ip_local_reserved_ports", "now", "\"1 2 3\"");
}

static void what_cannot_be_read_is_a_fault_of_its_own(void **state)
{
	(void)state;
	char path[256];

	path_of(path, sizeof(path), "net/core/wmem_max/x");
	make_parents(path);
	assert_int_equal(tune("--json apply"), RUN_FAULTS);
	assert_said("net.core.wmem_max", "state", "\"refused\"");
	assert_said("net.core.wmem_max", "error", "\"Is a directory\"");
	assert_said("net.core.rmem_max", "state", "\"changed\"");
}

static void a_value_without_end_is_refused(void **state)
{
	(void)state;
	char huge[6000];

	memset(huge, '1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	put("net/core/wmem_max", huge);
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("net.core.wmem_max", "state", "\"refused\"");
}

static void wrong_words_are_told(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "", "a verb is needed" },
		{ "tune", "no such verb" },
		{ "apply show", "one verb" },
		{ "--fast apply", "no such option" },
		{ "apply --media-ports", "needs a value" },
		{ "--media-ports 1-2 apply", "no range" },
		{ "--media-ports 20000-10000 apply", "no range" },
		{ "--media-ports 10000-70000 apply", "no range" },
		{ "--media-ports 010000-20000 apply", "no range" },
		{ "--media-ports 10000-20000-30000 apply", "no range" },
		{ "--media-ports 10000 apply", "no range" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tune(cases[i].line), RUN_USAGE);
		assert_has(err, cases[i].says);
		assert_string_equal(out, "");
	}
	assert_string_equal(get("net/core/rmem_max"), "212992\n");
}

static void a_root_without_proc_is_told(void **state)
{
	(void)state;
	assert_int_equal(tune("--root /nowhere apply"), RUN_FAULTS);
	assert_has(err, "/nowhere/proc/sys");
}

static void help_and_version_are_given(void **state)
{
	(void)state;
	assert_int_equal(tune("--help"), RUN_DONE);
	assert_has(out, "usage: switch-tune");
	assert_int_equal(tune("--version"), RUN_DONE);
	assert_has(out, TANDEM_VERSION);
}

int main(void)
{
#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
	const struct CMUnitTest tests[] = {
		WITH_ROOT(the_table_is_as_the_operators_know_it),
		WITH_ROOT(apply_writes_what_differs_and_only_that),
		WITH_ROOT(the_media_ports_are_kept_from_others),
		WITH_ROOT(the_media_ports_come_from_the_machines_configuration),
		WITH_ROOT(a_dry_run_writes_nothing),
		WITH_ROOT(verify_says_what_differs),
		WITH_ROOT(what_the_kernel_lacks_is_reported_and_no_failure),
		WITH_ROOT(a_value_of_several_words_is_read_with_single_blanks),
		WITH_ROOT(what_cannot_be_read_is_a_fault_of_its_own),
		WITH_ROOT(a_value_without_end_is_refused),
		WITH_ROOT(wrong_words_are_told),
		WITH_ROOT(a_root_without_proc_is_told),
		WITH_ROOT(help_and_version_are_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
