#include "rig.h"

#include <stdbool.h>

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/control.h"
#include "audit/run.h"
#include "base/cleanup.h"

static char root[64];

/* --- a machine of our own: rootfs/ and what a running one has besides --- */

static void path_of(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s%s", root, name);
}

static void put_bytes(const char *name, const char *bytes, size_t n, mode_t mode)
{
	char path[512];

	path_of(path, sizeof(path), name);
	make_parents(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		fail_msg("cannot write %s", path);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text), 0644);
}

static void drop(const char *name)
{
	char path[512];

	path_of(path, sizeof(path), name);
	assert_int_equal(unlink(path), 0);
}

static mode_t mode_of(const char *name)
{
	char path[512];
	struct stat st;

	path_of(path, sizeof(path), name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* The image's own files; in *.in only words that no control looks at are replaced. */
static int copy_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	char name[512], text[16384];
	size_t n = strlen(path);

	(void)st;
	(void)f;
	if (type != FTW_F)
		return 0;
	(void)snprintf(name, sizeof(name), "%s", path + strlen("rootfs"));
	if (n > 3 && strcmp(path + n - 3, ".in") == 0)
		name[strlen(name) - 3] = '\0';
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ssize_t size = read(fd, text, sizeof(text));
	(void)close(fd);
	if (size < 0 || size == (ssize_t)sizeof(text))
		return -1;
	put_bytes(name, text, (size_t)size, st->st_mode & 0755);
	return 0;
}

#define MOUNT(where, type, options) \
	"30 1 254:0 / " where " " options " shared:1 - " type " none rw\n"

static const char MOUNTS[] = MOUNT("/", "squashfs", "ro")
	MOUNT("/tmp", "tmpfs", "rw,nosuid,nodev,noexec") MOUNT("/dev/shm", "tmpfs",
							       "rw,nosuid,nodev,noexec")
		MOUNT("/var", "ext4", "rw,nosuid,nodev,noexec") MOUNT("/data", "ext4",
								      "rw,nosuid,nodev,noexec")
			MOUNT("/etc", "overlay", "rw,nosuid,nodev,noexec")
				MOUNT("/run", "tmpfs", "rw,nosuid,nodev")
					MOUNT("/proc", "proc", "rw,nosuid,nodev,noexec")
						MOUNT("/sys", "sysfs", "rw,nosuid,nodev,noexec");

#define STATUS(name, uid, caps)                                                     \
	"Name:\t" name "\nUid:\t" uid "\t" uid "\t" uid "\t" uid "\nCapPrm:\t" caps \
	"\nCapEff:\t" caps "\nCapBnd:\t" caps                                       \
	"\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"

static int make_root(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/audit-XXXXXX");
	if (!mkdtemp(root) || nftw("rootfs", copy_one, 8, FTW_PHYS) != 0)
		return -1;
	put("/etc/passwd", "root:x:0:0:Superuser:/root:/bin/sh\n"
			   "switch:x:922:920:Switch:/:/usr/sbin/nologin\n"
			   "lockout:x:923:920:Lockout:/:/usr/sbin/nologin\n"
			   "_chrony:x:914:914:Time:/:/usr/sbin/nologin\n"
			   "admin:x:1000:1000::/:/usr/libexec/tandem/switch-shell\n");
	put("/etc/group", "root:x:0:\ntandem:x:920:\nadmin:x:1000:\n_chrony:x:914:\n");
	put_bytes("/etc/shadow", "root:!*:1::::::\nadmin:*:1::::::\n", 31, 0600);
	put("/proc/1/mountinfo", MOUNTS);
	put("/proc/cmdline", "tandem.slot=a tandem.verity=00ff ro quiet\n");
	put("/proc/modules", "nf_tables 1 0 - Live 0x0\n");
	put("/sys/dev/block/254:0/dm/name", "root\n");
	put("/proc/net/tcp", "  sl  local_address rem_address   st\n"
			     "   0: 00000000:13C4 00000000:0000 0A 0\n"
			     "   1: 0100007F:0016 00000000:0000 0A 0\n"
			     "   2: 0A00000A:B3B0 0A00000B:0050 01 0\n");
	put("/proc/net/udp", "  sl  local_address rem_address   st\n"
			     "   0: 00000000:13C4 00000000:0000 07 0\n"
			     "   1: 00000000:2710 00000000:0000 07 0\n");
	put("/proc/77/status", STATUS("switchd", "922", "0000000000000000"));
	put("/proc/78/status", STATUS("switch-lockoutd", "923", "0000000000001000"));
	put("/proc/79/status", STATUS("chronyd", "914", "0000000002000000"));
	put("/run/tandem/ntp.sources", "# two\npool a.example iburst\nserver 192.0.2.1 iburst\n");
	put("/proc/sys/kernel/randomize_va_space", "2\n");
	put("/proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	put("/etc/sysconfig/network-scripts/ifcfg-eth0", "GATEWAY=198.51.100.1\n");
	put("/usr/lib/modules/6.1/modules.dep", "kernel/net/sctp/sctp.ko: kernel/lib/crc.ko\n"
						"kernel/fs/ext4/ext4.ko:\n");
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	rig_forget();
	return remove_all(root);
}

/* --- what it says --- */

static int audit(const char *line)
{
	return rig_run(run, (const char *const[3]){ "switch-audit", "--root", root }, line);
}

/* One control, named alone: its exit status and what is in what it says. */
static void assert_control(const char *id, int status, const char *state, const char *says)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "--json check %s", id);
	if (audit(line) != status)
		fail_msg("%s: exit status is not %d: %s%s", id, status, out ? out : "",
			 err ? err : "");
	assert_has(out, state);
	assert_has(out, says);
}

/* --- the tests --- */

static const char *const live[] = {
	"ACCT",   "AUDIT-1", "BANNER", "BOOT",  "CORE",   "DAEMON-1", "DAEMON-2", "DAEMON-3",
	"KERN-1", "MOUNT",   "NET-1",  "NET-4", "NET-8",  "NET-9",    "NET-10",   "NET-11",
	"PKG",    "SSH",     "TIME",   "UNIT",  "FILE-1", "FILE-2",   "FILE-12",  "FILE-13",
};

/* rootfs/ as it is, with a machine around it: every rule is met, every file of ours is looked at. */
static void the_image_passes(void **state)
{
	(void)state;
	if (geteuid() != 0) /* the files below root are ours, not root's */
		skip();
	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		assert_control(live[i], RUN_DONE, "", "");
}

/* One thing is made wrong, and the control that is for it says so. A test each. */
static const struct wrong {
	const char *id, *path, *text, *says;
} wrongs[] = {
	{ "ACCT-1", "/etc/passwd", "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n",
	  "toor has number 0" },
	{ "ACCT-2", "/etc/shadow", "root:$y$j9T$abc:1::::::\n", "root has a password" },
	{ "ACCT-3", "/etc/shadow", "root:!*:1::::::\nadmin::1::::::\n",
	  "admin has an empty password" },
	{ "ACCT-3", "/etc/shadow", "admin:$1$abc$def:1::::::\n", "weakly hashed" },
	{ "ACCT-3", "/etc/passwd", "root:$6$abc:0:0::/:/bin/sh\n", "a password in passwd" },
	{ "ACCT-4", "/etc/group", "a:x:5:\nb:x:5:\n", "number 5 twice" },
	{ "ACCT-5", "/etc/group", "root:x:0:\n", "is in group 920, which there is not" },
	{ "ACCT-6", "/etc/passwd", "root:x:0:0::/:/bin/sh\nswitch:x:922:920::/:/bin/sh\n",
	  "switch has the shell /bin/sh" },
	{ "AUDIT-1", "/etc/systemd/journald.conf.d/x.conf", "[Journal]\nStorage=none\n",
	  "Journal.Storage=none, not persistent" },
	{ "BANNER-1", "/etc/issue.net", "Welcome!\n", "does not say Authorised" },
	{ "BANNER-3", "/etc/issue", "\\s \\r\n", "says \\\\r" },
	{ "BOOT-1", "/sys/dev/block/254:0/dm/name", "else\n", "is not verified" },
	{ "BOOT-1", "/proc/cmdline", "ro\n", "no root hash" },
	{ "BOOT-2", "/proc/cmdline", "ro systemd.debug_shell=ttyS2\n",
	  "started with systemd.debug_shell=ttyS2" },
	{ "BOOT-2", "/proc/cmdline", "ro init=/bin/sh\n", "started with init=/bin/sh" },
	{ "BOOT-3", "/proc/cmdline", "ro mitigations=off\n", "mitigations=off" },
	{ "BOOT-4", "/usr/lib/systemd/system/rescue.service", "[Service]\nExecStart=/bin/sh\n",
	  "does not say ExecStart=/usr/sbin/sulogin" },
	{ "BOOT-6", "/etc/systemd/system/ctrl-alt-del.target", "", "is there" },
	{ "CORE-1", "/usr/lib/systemd/system.conf.d/tandem.conf", "[Manager]\nDumpCore=yes\n",
	  "does not set Manager.DefaultLimitCORE" },
	{ "CORE-2", "/etc/systemd/system/switchd.service.d/x.conf",
	  "[Service]\nLimitCORE=infinity\n", "LimitCORE=infinity, not 0" },
	{ "DAEMON-1", "/proc/77/status", STATUS("switchd", "0", "0000000000000000"),
	  "runs as user 0, not as switch" },
	{ "DAEMON-1", "/proc/77/status", STATUS("switchd", "922", "0000000000000400"),
	  "CapEff 400" },
	{ "DAEMON-1", "/proc/77/status", "Name:\tswitchd\nUid:\t922\nNoNewPrivs:\t0\n",
	  "can gain privileges" },
	{ "DAEMON-2", "/proc/78/status", STATUS("other", "923", "0"), "does not run" },
	{ "KERN-1", "/proc/sys/kernel/randomize_va_space", "0\n", "is 0, not 2" },
	{ "MOD-1", "/proc/modules", "sctp 1 0 - Live 0x0\n", "sctp is loaded" },
	{ "MOUNT-1", "/proc/1/mountinfo", MOUNT("/tmp", "tmpfs", "rw,nosuid,nodev"),
	  "/tmp is mounted without noexec" },
	{ "MOUNT-1", "/proc/1/mountinfo", MOUNT("/", "squashfs", "ro"),
	  "/tmp is no file system of its own" },
	{ "MOUNT-6", "/proc/1/mountinfo", MOUNT("/", "ext4", "rw"), "without ro" },
	{ "NET-4", "/proc/sys/net/ipv4/conf/all/rp_filter", "0\n", "rp_filter is 0" },
	{ "NET-4", "/etc/sysconfig/network-scripts/ifcfg-eth7", "GATEWAY=192.0.2.1\n",
	  "rp_filter is 1, not 2" },
	{ "NET-8", "/proc/net/tcp", "sl\n 0: 00000000:0017 00000000:0000 0A 0\n",
	  "at TCP port 23" },
	{ "NET-9", "/proc/net/udp6", "sl\n 0: 00000000000000000000000000000000:0045 0:0000 07 0\n",
	  "at UDP port 69" },
	{ "NET-10", "/etc/systemd/system/systemd-networkd.service.d/tandem.conf",
	  "[Service]\nNice=1\n", "does not set ConditionPathExists" },
	{ "PKG-1", "/usr/bin/perl5.36", "", "perl5.36 is there" },
	{ "SSH-1", "/etc/ssh/sshd_config.d/00-a.conf", "PasswordAuthentication yes\n",
	  "PasswordAuthentication is yes, not no" },
	{ "SSH-2", "/etc/ssh/sshd_config.d/00-a.conf", "permitrootlogin=prohibit-password\n",
	  "PermitRootLogin is prohibit-password" },
	{ "SSH-5", "/etc/ssh/sshd_config.d/00-a.conf", "MaxAuthTries 6\n", "at most 3" },
	{ "SSH-7", "/etc/ssh/sshd_config.d/00-a.conf", "Ciphers aes128-cbc\n",
	  "Ciphers is aes128-cbc, not among" },
	{ "SSH-7", "/etc/ssh/sshd_config.d/00-a.conf", "Ciphers +aes128-cbc\n", "not among" },
	{ "SSH-13", "/etc/ssh/sshd_config", "Port 22\n", "Banner is not set" },
	{ "SSH-16", "/etc/ssh/sshd_config.d/00-a.conf", "PrintLastLog no\n",
	  "PrintLastLog is no, not yes" },
	{ "TIME-2", "/run/tandem/ntp.sources", "# one\nserver 192.0.2.1 iburst\n",
	  "names 1, not 2" },
	{ "TIME-3", "/etc/chrony/chrony.conf", "makestep 1 -1\n", "does not say maxchange" },
	{ "UNIT-1", "/etc/systemd/system/switchd.service.d/x.conf", "[Service]\nProtectSystem=no\n",
	  "switchd.service has ProtectSystem=no" },
	{ "UNIT-2", "/etc/systemd/system/switchd.service.d/x.conf",
	  "[Service]\nCapabilityBoundingSet=CAP_SYS_ADMIN\n",
	  "CapabilityBoundingSet=CAP_SYS_ADMIN" },
	{ "UNIT-3", "/etc/systemd/system/switch-lockoutd.service", "[Unit]\n",
	  "does not set CapabilityBoundingSet" },
};

static bool is_made;      /* one root for all of these */
static char old[16384];   /* what stood in the file that is made wrong */
static ssize_t old_bytes; /* -1: there was none */

static int keep_old(void **state)
{
	const struct wrong *w = *state;
	char path[512];

	if (!is_made && make_root(state) != 0)
		return -1;
	is_made = true;
	path_of(path, sizeof(path), w->path);
	int fd = open(path, O_RDONLY);
	old_bytes = fd < 0 ? -1 : read(fd, old, sizeof(old));
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

static int put_old(void **state)
{
	const struct wrong *w = *state;

	if (old_bytes < 0)
		drop(w->path);
	else
		put_bytes(w->path, old, (size_t)old_bytes,
			  strcmp(w->path, "/etc/shadow") == 0 ? 0600 : 0644);
	rig_forget();
	return 0;
}

static void what_is_wrong_is_found(void **state)
{
	const struct wrong *w = *state;

	put(w->path, w->text);
	assert_control(w->id, RUN_FAULTS, "failed", w->says);
}

static void what_a_match_says_is_for_some_only(void **state)
{
	(void)state;
	put("/etc/ssh/sshd_config.d/00-a.conf",
	    "Match User nobody\n\tPasswordAuthentication yes\n");
	assert_control("SSH-1", RUN_DONE, "passed", "null");
	put("/etc/ssh/sshd_config.d/00-a.conf",
	    "Match User nobody\nMatch all\nPasswordAuthentication yes\n");
	assert_control("SSH-1", RUN_FAULTS, "failed", "PasswordAuthentication is yes");
}

static void files_that_include_themselves_end(void **state)
{
	(void)state;
	put("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config\n");
	assert_control("SSH-1", RUN_FAULTS, "unknown", "cannot be looked at");
}

static void a_link_does_not_lead_out_of_the_root(void **state)
{
	char path[512];

	(void)state;
	drop("/etc/shadow");
	path_of(path, sizeof(path), "/etc/shadow");
	assert_int_equal(symlink("../../../../../../../proc/version", path), 0);
	assert_control("ACCT-2", RUN_FAULTS, "unknown", "No such file");
}

static void a_later_drop_in_adds_to_a_list(void **state)
{
	(void)state;
	put("/etc/systemd/system/switchd.service.d/x.conf", "[Service]\nCapabilityBoundingSet=\n");
	assert_control("UNIT-2", RUN_DONE, "passed", "");
	put("/etc/systemd/system/switchd.service.d/y.conf", "[Service]\nSystemCallFilter=@mount\n");
	assert_control("UNIT-2", RUN_FAULTS, "failed", "@mount");
}

static void modules_are_blocked_or_not_there(void **state)
{
	(void)state;
	assert_control("MOD-1", RUN_DONE, "passed", "");
	drop("/usr/lib/modprobe.d/tandem.conf");
	assert_control("MOD-1", RUN_FAULTS, "failed", "sctp can be loaded");
	put("/etc/modprobe.d/site.conf", "install sctp /bin/false\n");
	assert_control("MOD-1", RUN_DONE, "passed", "");
}

static void the_configured_ports_are_open(void **state)
{
	(void)state;
	put("/etc/tandem/tandem.conf", "sip_port = 5070\nmedia_ports = 20000-20100\n");
	assert_control("NET-8", RUN_FAULTS, "failed", "TCP port 5060");
	assert_control("NET-9", RUN_FAULTS, "failed", "UDP port 10000");
	put("/var/lib/tandem-lockout/settings.json",
	    "{\"SS_LOCKOUT_HONEYPOT_PORTS\":\"3389, 5060\","
	    "\"SS_LOCKOUT_HONEYPOT_UDP_PORTS\":\"5060, 10000\"}");
	assert_control("NET-8", RUN_DONE, "passed", "");
	assert_control("NET-9", RUN_DONE, "passed", "");
	put("/etc/tandem/tandem.conf", "sip_port = much\n");
	assert_control("NET-8", RUN_FAULTS, "failed", "tandem.conf has faults");
}

static void walks_find_what_no_list_names(void **state)
{
	(void)state;
	put_bytes("/usr/lib/deep/down/su", "", 0, 04755);
	assert_control("FILE-12", RUN_FAULTS, "failed", "/usr/lib/deep/down/su has mode 4755");
	put_bytes("/var/lib/open", "", 0, 0666);
	assert_control("FILE-13", RUN_FAULTS, "failed", "/var/lib/open has mode 0666");
	if (geteuid() == 0) {
		char path[512];

		path_of(path, sizeof(path), "/var/lib/open");
		assert_int_equal(chown(path, 4711, 0), 0);
		assert_control("FILE-14", RUN_FAULTS, "failed", "belongs to 4711:0");
	}
}

static void fix_mends_what_it_can(void **state)
{
	(void)state;
	put_bytes("/etc/shadow", "root:!:1::::::\n", 15, 0644);
	put("/proc/sys/kernel/randomize_va_space", "1\n");
	assert_int_equal(audit("check FILE-2 KERN-1"), RUN_FAULTS);
	assert_has(out, "0 passed, 2 failed");
	assert_int_equal(mode_of("/etc/shadow"), 0644);
	assert_int_equal(audit("--fix check FILE-2 KERN-1"), RUN_DONE);
	assert_has(out, "2 fixed");
	assert_has(out, "had mode 0644");
	assert_int_equal(mode_of("/etc/shadow"), 0600);
	assert_int_equal(audit("check FILE-2 KERN-1"), RUN_DONE);
	assert_has(out, "2 passed, 0 failed");
}

static void what_needs_a_running_machine_is_skipped(void **state)
{
	(void)state;
	drop("/proc/1/mountinfo");
	drop("/proc/cmdline");
	assert_control("MOUNT-1", RUN_DONE, "skipped", "takes a running machine");
	assert_control("BOOT-1", RUN_DONE, "skipped", "takes a running machine");
	assert_control("BOOT-2", RUN_DONE, "skipped", "takes a running machine");
	assert_control("NET-7", RUN_DONE, "skipped", "takes a running machine");
}

static void a_failure_says_why_and_what_to_do(void **state)
{
	(void)state;
	put("/proc/sys/kernel/randomize_va_space", "1\n");
	assert_int_equal(audit("--faults check KERN-1 ACCT-1"), RUN_FAULTS);
	assert_has(out, "KERN-1 failed: Addresses are random");
	assert_has(out, "  found  kernel/randomize_va_space is 1, not 2");
	assert_has(out, "  why    An attack must know where things are");
	assert_has(out, "  fix    switch-tune apply");
	assert_has(out, "  source CIS 1.5.3");
	assert_has(out, "switch-audit: 1 passed, 1 failed\n");
	assert_null(strstr(out, "ACCT-1"));
}

static void the_result_is_kept_for_who_asks_later(void **state)
{
	char line[320], path[256];
	json_t *record;

	(void)state;
	path_of(path, sizeof(path), "/record.json");
	put("/proc/sys/kernel/randomize_va_space", "1\n");
	(void)snprintf(line, sizeof(line), "--record %s check KERN-1 ACCT-1", path);
	assert_int_equal(audit(line), RUN_FAULTS);
	record = json_load_file(path, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(record, "passed")), 1);
	assert_int_equal(json_integer_value(json_object_get(record, "failed")), 1);
	assert_int_equal(json_array_size(json_object_get(record, "faults")), 1);
	json_decref(record);
	assert_int_equal(audit("--record /nowhere/x check ACCT-1"), RUN_FAULTS);
	assert_has(err, "/nowhere/x");
}

static void every_control_is_listed(void **state)
{
	(void)state;
	assert_int_equal(audit("--json list"), RUN_DONE);
	json_t *rows = json_loads(out, 0, NULL);

	assert_int_equal(json_array_size(rows), controls_count);
	json_decref(rows);
	assert_int_equal(audit("--json check MOUNT"), RUN_DONE);
	rows = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(rows), 7);
	json_decref(rows);
}

/* Whatever stands in the table, each control can be looked at in a tree that has none of it. */
static void an_empty_root_breaks_nothing(void **state)
{
	(void)state;
	assert_int_equal(remove_root(state), 0);
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(audit("--json check"), RUN_FAULTS);
	assert_null(strstr(out, "Invalid argument"));
}

static void wrong_words_are_told(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "", "a verb is needed" },
		{ "audit", "no such verb" },
		{ "--fast check", "no such option" },
		{ "--json", "a verb is needed" },
		{ "check SSH-99", "no such control" },
		{ "check SS", "no such control" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(audit(cases[i].line), RUN_USAGE);
		assert_has(err, cases[i].says);
		assert_string_equal(out, "");
	}
	assert_int_equal(audit("--root /nowhere check"), RUN_FAULTS);
	assert_has(err, "/nowhere");
	assert_int_equal(audit("--root"), RUN_USAGE);
}

static void help_and_version_are_given(void **state)
{
	(void)state;
	assert_int_equal(audit("--help"), RUN_DONE);
	assert_has(out, "usage: switch-audit");
	assert_int_equal(audit("--version"), RUN_DONE);
	assert_has(out, TANDEM_VERSION);
}

int main(void)
{
#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
	const struct CMUnitTest tests[] = {
		WITH_ROOT(the_image_passes),
		WITH_ROOT(what_a_match_says_is_for_some_only),
		WITH_ROOT(files_that_include_themselves_end),
		WITH_ROOT(a_link_does_not_lead_out_of_the_root),
		WITH_ROOT(a_later_drop_in_adds_to_a_list),
		WITH_ROOT(modules_are_blocked_or_not_there),
		WITH_ROOT(the_configured_ports_are_open),
		WITH_ROOT(walks_find_what_no_list_names),
		WITH_ROOT(fix_mends_what_it_can),
		WITH_ROOT(what_needs_a_running_machine_is_skipped),
		WITH_ROOT(a_failure_says_why_and_what_to_do),
		WITH_ROOT(the_result_is_kept_for_who_asks_later),
		WITH_ROOT(every_control_is_listed),
		WITH_ROOT(an_empty_root_breaks_nothing),
		WITH_ROOT(wrong_words_are_told),
		WITH_ROOT(help_and_version_are_given),
	};

	enum {
		PLAIN = sizeof(tests) / sizeof(tests[0]),
		WRONG = sizeof(wrongs) / sizeof(wrongs[0])
	};
	struct CMUnitTest all[PLAIN + WRONG];

	memcpy(all, tests, sizeof(tests));
	for (size_t i = 0; i < WRONG; i++) {
		struct wrong *given = malloc(sizeof(*given));

		if (!given)
			return 1;
		*given = wrongs[i];
		all[PLAIN + i] = (struct CMUnitTest){ wrongs[i].says, what_is_wrong_is_found,
						      keep_old, put_old, given };
	}
	/* Memory that runs out: the tests above go the same ways already. */
	size_t count = getenv("OOM") ? PLAIN : PLAIN + WRONG;
	int failed = _cmocka_run_group_tests("audit", all, count, NULL, NULL);

	for (size_t i = 0; i < WRONG; i++)
		free(all[PLAIN + i].initial_state);
	if (is_made)
		(void)remove_root(NULL);
	return failed;
}
