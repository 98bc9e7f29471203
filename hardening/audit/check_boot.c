/* What the machine was started with: file systems, the kernel's command line, its settings and modules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "check.h"
#include "knobs/knob.h"
#include "knobs/setting.h"
#include "knobs/uplinks.h"
#include "mounts.h"

#define NO_MACHINE "takes a running machine"

/* --- mount --- */

static const struct {
	struct str name;
	unsigned long flag;
} mount_flags[] = {
	{ STR_INIT("ro"), MS_RDONLY },       { STR_INIT("nosuid"), MS_NOSUID },
	{ STR_INIT("nodev"), MS_NODEV },     { STR_INIT("noexec"), MS_NOEXEC },
	{ STR_INIT("noatime"), MS_NOATIME },
};

static unsigned long flags_of(struct str options)
{
	unsigned long flags = 0;
	struct str one;

	while (str_split(&options, ',', &one)) {
		for (size_t i = 0; i < sizeof(mount_flags) / sizeof(mount_flags[0]); i++)
			flags |= str_eq(one, mount_flags[i].name) ? mount_flags[i].flag : 0;
	}
	return flags;
}

/* Only adds restrictions, and never makes a file system read-only under who writes to it. */
static bool mend_mount(const struct job *j, const char *where, const struct mount_line *m,
		       struct str wanted)
{
	unsigned long flags = flags_of(m->options) | flags_of(wanted);

	if (!j->may_fix || !j->tree->is_here || (flags_of(wanted) & MS_RDONLY))
		return false;
	return mount(NULL, where, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0;
}

static void judge_mount(struct job *j, struct str mounts, const char *where, struct str wanted)
{
	struct str rest = wanted, option;
	struct mount_line m;

	if (!mounts_find(mounts, where, &m)) {
		job_fault(j, "%s is no file system of its own", where);
		return;
	}
	while (str_split(&rest, ',', &option)) {
		if (mounts_has(&m, option))
			continue;
		if (mend_mount(j, where, &m, wanted)) {
			job_fixed(j, "%s was mounted without %.*s", where, STR_ARG(option));
			return;
		}
		job_fault(j, "%s is mounted without %.*s", where, STR_ARG(option));
	}
}

int check_mount(struct job *j)
{
	CLEANUP(buf_done) struct buf mounts = BUF_INIT;
	char word[TREE_PATH];
	int r = mounts_read(j->tree, &mounts);

	if (r == -ENOENT) {
		job_skip(j, NO_MACHINE);
		return 0;
	}
	while (r == 0 && job_word(j, word)) {
		size_t n = strcspn(word, ":");
		struct str wanted = word[n] ? str_of(word + n + 1) : STR("");

		word[n] = '\0';
		judge_mount(j, buf_str(&mounts), word, wanted);
	}
	return r;
}

/* --- verity --- */

/* The device mapper's device with the name that tandem-init gives it, which has verity and nothing
 * else below it; and the hash that the boot loader handed over. */
static int judge_verity(struct job *j, const struct mount_line *root)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	char path[TREE_PATH];
	struct buf text = buf_fixed(path, sizeof(path));

	if (!mounts_has(root, STR("ro")))
		job_fault(j, "the root file system can be written to");
	buf_printf(&text, "/sys/dev/block/%.*s/dm/name", STR_ARG(root->device));
	if (buf_error(&text))
		return -ENAMETOOLONG;

	int r = tree_read(j->tree, path, &name);

	if (r == -ENOENT || (r == 0 && !str_eq(str_trim(buf_str(&name)), STR("root"))))
		job_fault(j, "the root file system, %.*s on %.*s, is not verified",
			  STR_ARG(root->type), STR_ARG(root->device));
	else if (r < 0)
		return r;
	r = tree_read(j->tree, "/proc/cmdline", &line);
	if (r == 0 && str_find(buf_str(&line), STR("tandem.verity=")) < 0)
		job_fault(j, "the boot loader gave no root hash");
	return r;
}

int check_verity(struct job *j)
{
	CLEANUP(buf_done) struct buf mounts = BUF_INIT;
	struct mount_line root;
	int r = mounts_read(j->tree, &mounts);

	if (r == -ENOENT) {
		job_skip(j, NO_MACHINE);
		return 0;
	}
	if (r < 0)
		return r;
	if (!mounts_find(buf_str(&mounts), "/", &root))
		return -ENOENT;
	return judge_verity(j, &root);
}

/* --- cmdline --- */

int check_cmdline(struct job *j)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	char word[TREE_PATH];
	int r = tree_read(j->tree, "/proc/cmdline", &line);

	if (r == -ENOENT) {
		job_skip(j, NO_MACHINE);
		return 0;
	}
	while (r == 0 && job_word(j, word)) {
		struct str rest = str_trim(buf_str(&line)), given;

		while (str_split(&rest, ' ', &given)) {
			ptrdiff_t sign = str_chr(given, '=');
			struct str name = sign < 0 ? given : str_head(given, (size_t)sign);

			if (str_eq(given, str_of(word)) || str_eq(name, str_of(word)))
				job_fault(j, "the kernel was started with %.*s", STR_ARG(given));
		}
	}
	return r;
}

/* --- sysctl --- */

struct knob {
	struct job *job;
	const struct setting *setting;
	const char *value;
	int folder;
};

static bool is_right(const struct knob *k, const char *now)
{
	uint64_t least, is;

	if (!k->setting->is_least)
		return strcmp(now, k->value) == 0;
	return str_to_u64(str_of(k->value), UINT64_MAX, &least) == 0 &&
	       str_to_u64(str_of(now), UINT64_MAX, &is) == 0 && is >= least;
}

/* A kernel without the setting has nothing to be set. */
static int on_knob(void *ctx, const char *path)
{
	const struct knob *k = ctx;
	CLEANUP(free) char *now = NULL;
	int r = knob_read(k->folder, path, &now);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	k->job->looked_at++;
	if (is_right(k, now))
		return 0;
	if (k->job->may_fix && knob_write(k->folder, path, k->value) == 0)
		job_fixed(k->job, "%s was %s", path, now);
	else
		job_fault(k->job, "%s is %s, not %s", path, now, k->value);
	return 0;
}

static const struct setting *setting_of(const char *key)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (strcmp(settings[i].key, key) == 0)
			return &settings[i];
	}
	return NULL;
}

static const char *value_of(const struct job *j, const struct setting *s)
{
	if (strcmp(s->value, SETTING_UPLINKS) != 0)
		return s->value;

	CLEANUP(close)
	int network = tree_fd(j->tree, "/etc/sysconfig/network-scripts", O_RDONLY | O_DIRECTORY);

	return uplinks_rp_filter(uplinks_count(network));
}

int check_sysctl(struct job *j)
{
	CLEANUP(close) int folder = tree_fd(j->tree, "/proc/sys", O_RDONLY | O_DIRECTORY);
	char word[TREE_PATH];
	int r = 0;

	if (folder == -ENOENT) {
		job_skip(j, NO_MACHINE);
		return 0;
	}
	if (folder < 0)
		return folder;
	while (r == 0 && job_word(j, word)) {
		struct knob k = { .job = j, .setting = setting_of(word), .folder = folder };

		if (k.setting)
			k.value = value_of(j, k.setting);
		r = k.setting ? knob_each(folder, str_of(word), on_knob, &k) : -EINVAL;
	}
	if (r == 0 && j->looked_at == 0)
		job_skip(j, "this kernel has no such setting");
	return r;
}

/* --- module --- */

struct modules {
	struct buf loaded, rules, there;
	const struct tree *tree;
};

static void modules_done_cleanup(struct modules *m)
{
	buf_done(&m->loaded);
	buf_done(&m->rules);
	buf_done(&m->there);
}

static int on_rules(void *ctx, const char *path)
{
	struct modules *m = ctx;
	int r = tree_read(m->tree, path, &m->rules);

	buf_putc(&m->rules, '\n');
	return r;
}

static int on_release(void *ctx, const char *path)
{
	struct modules *m = ctx;
	char dep[TREE_PATH];
	struct buf text = buf_fixed(dep, sizeof(dep));

	buf_printf(&text, "%s/modules.dep", path);
	if (buf_error(&text))
		return -ENAMETOOLONG;

	int r = tree_read(m->tree, dep, &m->there);

	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* modules.dep names files with - or _, /proc/modules and modprobe take them for the same. */
static void flatten(struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		b->p[i] = b->p[i] == '-' ? '_' : b->p[i];
}

static int modules_read(struct modules *m)
{
	static const char *const rules[] = { "/etc/modprobe.d/*.conf",
					     "/usr/lib/modprobe.d/*.conf" };
	int r = tree_read(m->tree, "/proc/modules", &m->loaded);

	r = r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
		r = tree_each(m->tree, rules[i], on_rules, m);
	if (r == 0)
		r = tree_each(m->tree, "/usr/lib/modules/*", on_release, m);
	flatten(&m->there);
	flatten(&m->loaded);
	return r < 0 ? r : buf_error(&m->there) | buf_error(&m->rules) | buf_error(&m->loaded);
}

static bool has_line(struct str text, struct str start)
{
	struct str line;

	while (str_line(&text, &line)) {
		if (str_has_prefix(line, start))
			return true;
	}
	return false;
}

static int judge_module(struct job *j, const struct modules *m, const char *name)
{
	char text[TREE_PATH];
	struct buf b = buf_fixed(text, sizeof(text));
	bool is_loaded, is_there, is_blocked;

	buf_printf(&b, "%s ", name);
	flatten(&b);
	is_loaded = has_line(buf_str(&m->loaded), buf_str(&b));
	buf_clear(&b);
	buf_printf(&b, "/%s.ko", name);
	flatten(&b);
	is_there = str_find(buf_str(&m->there), buf_str(&b)) >= 0;
	buf_clear(&b);
	buf_printf(&b, "install %s /bin/false", name);
	if (buf_error(&b))
		return -ENAMETOOLONG;
	is_blocked = has_line(buf_str(&m->rules), buf_str(&b));
	if (is_loaded)
		job_fault(j, "%s is loaded", name);
	else if (is_there && !is_blocked)
		job_fault(j, "%s can be loaded", name);
	return 0;
}

int check_module(struct job *j)
{
	CLEANUP(modules_done) struct modules m = { .tree = j->tree };
	char word[TREE_PATH];
	int r = modules_read(&m);

	while (r == 0 && job_word(j, word))
		r = judge_module(j, &m, word);
	return r;
}
