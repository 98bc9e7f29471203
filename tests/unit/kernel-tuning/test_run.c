#include "rig.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel-tuning/run.h"
#include "knobs/setting.h"

static char root[64];

/* --- a /proc/sys of our own --- */

static void path_of(char *path, size_t size, const char *key)
{
	(void)snprintf(path, size, "%s/proc/sys/%s", root, key);
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
	rig_forget();
	return remove_all(root);
}

/* A machine of four processors with a card of two queues, and one that has as many as processors. */
static void put_hardware(void)
{
	put("../../sys/devices/system/cpu/online", "0-3\n");
	put("../meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");
	put("net/ipv4/udp_mem", "1000\t2000\t3000\n");
	put("../../sys/class/net/lo/queues/rx-0/rps_cpus", "0\n");
	for (int i = 0; i < 2; i++) {
		char name[128];

		(void)snprintf(name, sizeof(name), "../../sys/class/net/eth0/queues/rx-%d/rps_cpus",
			       i);
		put(name, "0\n");
		(void)snprintf(name, sizeof(name),
			       "../../sys/class/net/eth0/queues/rx-%d/rps_flow_cnt", i);
		put(name, "0\n");
		(void)snprintf(name, sizeof(name), "../../sys/class/net/eth0/queues/tx-%d/xps_cpus",
			       i);
		put(name, "0\n");
	}
	put("../../sys/class/net/eth0/device/msi_irqs/31", "msix\n");
	put("../../sys/class/net/eth0/device/msi_irqs/30", "msix\n");
	put("../irq/30/smp_affinity", "f\n");
	put("../irq/31/smp_affinity", "0000000f\n");
	put("../../sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
	put("../../sys/devices/system/cpu/cpu0/cpuidle/state0/latency", "2\n");
	put("../../sys/devices/system/cpu/cpu0/cpuidle/state0/disable", "0\n");
	put("../../sys/devices/system/cpu/cpu0/cpuidle/state3/latency", "200\n");
	put("../../sys/devices/system/cpu/cpu0/cpuidle/state3/disable", "0\n");
	put("../../sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("../../sys/devices/system/cpu/cpu0/power/pm_qos_resume_latency_us", "0\n");
	put("../../ethtool/eth0/rx-ring", "256\n");
	put("../../ethtool/eth0/rx-ring-max", "8192\n");
	put("../../ethtool/eth0/tx-ring", "512\n");
	put("../../ethtool/eth0/tx-ring-max", "512\n");
	put("../../ethtool/eth0/rx-usecs", "3\n");
	put("../../ethtool/eth0/adaptive-rx", "0\n");
}

/* --- what it says --- */

static int tune(const char *line)
{
	return rig_run(run, (const char *const[3]){ "switch-tune", "--root", root }, line);
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

/* behaviour.md: rp_filter is 2 with several uplinks. */
static void answers_may_leave_elsewhere_with_several_uplinks(void **state)
{
	(void)state;
	put("../../etc/sysconfig/network-scripts/ifcfg-eth0",
	    "DEVICE=eth0\nIPADDR=192.0.2.2\nGATEWAY=\"192.0.2.1\"\n");
	put("../../etc/sysconfig/network-scripts/ifcfg-lan", "BOOTPROTO=none\nIPADDR=10.0.0.2\n");
	put("../../etc/sysconfig/network-scripts/ifcfg-off", "ONBOOT=no\nGATEWAY=10.0.0.1\n");
	put("../../etc/sysconfig/network-scripts/ifcfg-eth0.bak", "GATEWAY=192.0.2.1\n");
	put("../../etc/sysconfig/network-scripts/route-eth0", "GATEWAY=10.0.0.1\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_string_equal(get("net/ipv4/conf/all/rp_filter"), "1");
	put("../../etc/sysconfig/network-scripts/ifcfg-eth1", "ONBOOT=yes\n BOOTPROTO = 'dhcp'\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_string_equal(get("net/ipv4/conf/all/rp_filter"), "2");
	assert_string_equal(get("net/ipv4/conf/eth0.100/rp_filter"), "2");
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

static void work_of_a_card_is_spread_over_processors(void **state)
{
	(void)state;
	put_hardware();
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("../../sys/class/net/eth0/queues/rx-0/rps_cpus"), "f");
	assert_string_equal(get("../../sys/class/net/eth0/queues/rx-1/rps_flow_cnt"), "16384");
	assert_string_equal(get("../../sys/class/net/eth0/queues/tx-0/xps_cpus"), "5");
	assert_string_equal(get("../../sys/class/net/eth0/queues/tx-1/xps_cpus"), "a");
	assert_string_equal(get("../irq/30/smp_affinity"), "1");
	assert_string_equal(get("../irq/31/smp_affinity"), "2");
	assert_string_equal(get("../../sys/class/net/lo/queues/rx-0/rps_cpus"), "0\n");
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "why",
		    "\"2 queues for 4 processors: the kernel spreads packets over all\"");
}

static void a_card_with_a_queue_for_each_processor_is_left_alone(void **state)
{
	(void)state;
	put_hardware();
	put("../../sys/devices/system/cpu/online", "0,1\n");
	put("../../sys/class/net/eth0/queues/rx-0/rps_cpus", "00000000,00000000\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "wanted", "\"0\"");
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "state", "\"right\"");
}

/* Masks are words of 32 bits; the kernel writes zeros before them. */
static void many_processors_are_named_in_words(void **state)
{
	(void)state;
	put_hardware();
	put("../../sys/devices/system/cpu/online", "0-39\n");
	put("../../sys/class/net/eth0/queues/rx-1/rps_cpus", "00000000,000000ff,ffffffff\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "wanted", "\"ff,ffffffff\"");
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "state", "\"differs\"");
	assert_said("sys/class/net/eth0/queues/rx-1/rps_cpus", "state", "\"right\"");
}

/* Below a root that is not this machine's a card is files as all else is. */
static void a_card_has_long_rings_and_some_patience(void **state)
{
	(void)state;
	put_hardware();
	assert_int_equal(tune("--json --dry-run apply"), RUN_DONE);
	assert_said("ethtool/eth0/rx-ring", "wanted", "\"4096\"");
	assert_said("ethtool/eth0/rx-ring", "state", "\"would\"");
	assert_said("ethtool/eth0/tx-ring", "state", "\"right\"");
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("../../ethtool/eth0/rx-ring"), "4096");
	assert_string_equal(get("../../ethtool/eth0/rx-usecs"), "50");
	assert_said("ethtool/eth0/rx-ring", "why",
		    "\"bursts wait in the card until a processor takes them; the card has room for "
		    "8192\"");
	assert_int_equal(tune("revert"), RUN_DONE);
	assert_string_equal(get("../../ethtool/eth0/rx-ring"), "256");
	put("../../ethtool/eth0/adaptive-rx", "1\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_null(said("ethtool/eth0/rx-usecs", "now"));
}

static void a_card_is_served_by_the_processors_of_its_node(void **state)
{
	(void)state;
	put_hardware();
	put("../../sys/class/net/eth0/device/numa_node", "1\n");
	put("../../sys/devices/system/node/node1/cpulist", "1,3\n");
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("../irq/30/smp_affinity"), "2");
	assert_string_equal(get("../irq/31/smp_affinity"), "8");
	assert_said("sys/class/net/eth0/queues/rx-0/rps_cpus", "wanted", "\"0\"");
	put("../../sys/class/net/eth0/device/numa_node", "-1\n"); /* it has none */
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("../irq/31/smp_affinity"), "2");
}

static void processors_stay_awake(void **state)
{
	(void)state;
	put_hardware();
	assert_int_equal(tune("--json apply"), RUN_DONE);
	assert_string_equal(get("../../sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
			    "performance");
	assert_string_equal(get("../../sys/devices/system/cpu/cpu0/power/pm_qos_resume_latency_us"),
			    "100");
	assert_string_equal(get("../../sys/devices/system/cpu/cpu0/cpuidle/state0/disable"), "0\n");
	assert_string_equal(get("../../sys/devices/system/cpu/cpu0/cpuidle/state3/disable"), "1");
}

static void memory_of_sockets_follows_the_calls_that_are_expected(void **state)
{
	(void)state;
	put_hardware();
	put("../../etc/tandem/tandem.conf", "lines = 5000\n");
	assert_int_equal(tune("--json apply"), RUN_DONE);
	/* 4 x 2 x 16 MiB and 5000 x 4 x 8 KiB, in pages of 4096 */
	assert_string_equal(get("net/ipv4/udp_mem"), "36384 54576 72768");
	put("../meminfo", "MemTotal: 400000 kB\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("net.ipv4.udp_mem", "wanted", "\"12500 18750 25000\"");
	assert_said("net.ipv4.udp_mem", "state", "\"right\"");
}

/* The kernel shows the choice in brackets among the others. */
static void a_choice_is_read_in_its_brackets(void **state)
{
	(void)state;
	put_hardware();
	put("../../sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	assert_int_equal(tune("--json show"), RUN_DONE);
	assert_said("sys/kernel/mm/transparent_hugepage/enabled", "state", "\"right\"");
	put("../../sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
	assert_int_equal(tune("--json --dry-run apply"), RUN_DONE);
	assert_said("sys/kernel/mm/transparent_hugepage/enabled", "state", "\"would\"");
}

/* A thread of a process, as /proc shows it. */
static void put_thread(const char *process, const char *program, const char *id, const char *name,
		       const char *nice)
{
	char path[128], line[256];

	(void)snprintf(path, sizeof(path), "../%s/comm", process);
	put(path, program);
	(void)snprintf(path, sizeof(path), "../%s/task/%s/comm", process, id);
	put(path, name);
	(void)snprintf(path, sizeof(path), "../%s/task/%s/stat", process, id);
	(void)snprintf(line, sizeof(line), "%s (%s) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 %s 4 0\n",
		       id, name, nice);
	put(path, line);
}

static void threads_of_media_go_before_all_else(void **state)
{
	static const char key[] = "thread/switchd/media/nice";

	(void)state;
	put_hardware();
	(void)tune("show --json");
	assert_null(said(key, "wanted")); /* no switch runs here */
	put_thread("77", "switchd", "78", "media", "-11");
	put_thread("77", "switchd", "77", "switchd", "0");
	put_thread("99", "other", "100", "media", "5");
	(void)tune("show --json");
	assert_said(key, "wanted", "\"-11\"");
	assert_said(key, "now", "\"-11\"");
	assert_said(key, "state", "\"right\"");
	put_thread("77", "switchd", "79", "media", "0"); /* the one that waits longest counts */
	assert_int_equal(tune("verify --json"), RUN_FAULTS);
	assert_said(key, "now", "\"0\"");
	assert_said(key, "state", "\"differs\"");
	/* It is no file, and these are nobody's threads. */
	assert_int_equal(tune("apply --json"), RUN_FAULTS);
	assert_said(key, "state", "\"refused\"");
}

static void a_thread_may_have_any_name(void **state)
{
	static const char key[] = "thread/switchd/media/nice";

	(void)state;
	put_hardware();
	put_thread("77", "switchd", "78", "media", "-11) S 1 2");
	put("../77/task/78/stat", "78 (a) b) (c)) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 -11 4 0\n");
	(void)tune("show --json");
	assert_said(key, "now", "\"-11\"");
	put("../77/task/78/stat", "78 (media) R 1 2 3\n");
	(void)tune("show --json");
	assert_null(said(key, "now")); /* what cannot be read is not judged */
}

static void revert_puts_back_what_was_there_first(void **state)
{
	(void)state;
	put_hardware();
	assert_int_equal(tune("apply"), RUN_DONE);
	put("net/core/rmem_max", "1\n");
	assert_int_equal(tune("apply"), RUN_DONE); /* the first value stays the one to go back to */
	assert_int_equal(tune("--dry-run revert"), RUN_DONE);
	assert_string_equal(get("net/core/rmem_max"), "16777216");
	assert_int_equal(tune("revert"), RUN_DONE);
	assert_string_equal(get("net/core/rmem_max"), "212992");
	assert_string_equal(get("net/ipv4/ip_local_reserved_ports"), "\n");
	assert_string_equal(get("net/ipv4/conf/eth0.100/rp_filter"), "0");
	assert_string_equal(get("../irq/31/smp_affinity"), "0000000f");
	assert_string_equal(get("../../sys/devices/system/cpu/cpu0/cpuidle/state3/disable"), "0");
	assert_string_equal(get("net/core/somaxconn"), "65536\n");
	assert_int_equal(tune("verify"), RUN_FAULTS);
	put("net/core/rmem_max", "5\n");
	assert_int_equal(tune("revert"), RUN_DONE); /* nothing is kept any more */
	assert_string_equal(get("net/core/rmem_max"), "5\n");
}

static void packets_lost_since_apply_are_a_fault(void **state)
{
	static const char snmp[] = "Udp: InDatagrams NoPorts RcvbufErrors SndbufErrors\n"
				   "Udp: 5 6 7 0\n";
	static const char more[] = "Udp: InDatagrams NoPorts RcvbufErrors SndbufErrors\n"
				   "Udp: 5 6 8 0\n";

	(void)state;
	put("../net/snmp", snmp);
	put("../net/softnet_stat", "000000ff 0000000a 00000000\n00000001 00000001 00000000\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_int_equal(tune("verify"), RUN_DONE);
	put("../net/snmp", more);
	assert_int_equal(tune("--json verify"), RUN_FAULTS);
	assert_said("proc/net/snmp Udp RcvbufErrors", "wanted", "\"7\"");
	assert_said("proc/net/snmp Udp RcvbufErrors", "now", "\"8\"");
	assert_said("proc/net/snmp Udp RcvbufErrors", "state", "\"lost\"");
	put("../net/snmp", snmp);
	put("../net/softnet_stat", "000000ff 0000000b 00000000\n00000001 00000001 00000000\n");
	assert_int_equal(tune("--json verify"), RUN_FAULTS);
	assert_said("proc/net/softnet_stat dropped", "now", "\"12\"");
	assert_int_equal(tune("apply"), RUN_DONE); /* counted from here on */
	assert_int_equal(tune("verify"), RUN_DONE);
}

/* Over the loopback interface of whoever runs the test: each packet of one call for a second arrives. */
static void a_test_load_arrives_whole(void **state)
{
	(void)state;
	put("../../etc/tandem/tandem.conf", "lines = 1\n");
	assert_int_equal(tune("apply"), RUN_DONE);
	assert_int_equal(tune("--load 1 --json verify"), RUN_DONE);
	assert_int_equal(tune("--load 1 --json apply"), RUN_USAGE);
	assert_has(err, "goes with verify alone");
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
		{ "--load", "needs a value" },
		{ "--load 61 verify", "no such number" },
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
		WITH_ROOT(answers_may_leave_elsewhere_with_several_uplinks),
		WITH_ROOT(the_media_ports_are_kept_from_others),
		WITH_ROOT(the_media_ports_come_from_the_machines_configuration),
		WITH_ROOT(a_dry_run_writes_nothing),
		WITH_ROOT(verify_says_what_differs),
		WITH_ROOT(what_the_kernel_lacks_is_reported_and_no_failure),
		WITH_ROOT(a_value_of_several_words_is_read_with_single_blanks),
		WITH_ROOT(what_cannot_be_read_is_a_fault_of_its_own),
		WITH_ROOT(a_value_without_end_is_refused),
		WITH_ROOT(work_of_a_card_is_spread_over_processors),
		WITH_ROOT(a_card_with_a_queue_for_each_processor_is_left_alone),
		WITH_ROOT(many_processors_are_named_in_words),
		WITH_ROOT(a_card_has_long_rings_and_some_patience),
		WITH_ROOT(a_card_is_served_by_the_processors_of_its_node),
		WITH_ROOT(processors_stay_awake),
		WITH_ROOT(memory_of_sockets_follows_the_calls_that_are_expected),
		WITH_ROOT(a_choice_is_read_in_its_brackets),
		WITH_ROOT(threads_of_media_go_before_all_else),
		WITH_ROOT(a_thread_may_have_any_name),
		WITH_ROOT(revert_puts_back_what_was_there_first),
		WITH_ROOT(packets_lost_since_apply_are_a_fault),
		WITH_ROOT(a_test_load_arrives_whole),
		WITH_ROOT(wrong_words_are_told),
		WITH_ROOT(a_root_without_proc_is_told),
		WITH_ROOT(help_and_version_are_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
