/* What runs: daemons with no more than they need, and the doors that they hold open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "model/answers_file.h"
#include "model/json.h"
#include "users.h"

enum { COMM_MAX = 15, USER_MAX = 64, DHCP4 = 68, DHCP6 = 546 };

/* --- daemon --- */

struct daemon {
	const char *name;
	char user[USER_MAX]; /* "": whoever it is */
	uint32_t uid;
	uint64_t caps;
	bool has_caps, no_new_privs, seccomp, must_run;
};

static const struct {
	struct str name;
	int bit;
} caps[] = {
	{ STR_INIT("AUDIT_WRITE"), CAP_AUDIT_WRITE },
	{ STR_INIT("BPF"), CAP_BPF },
	{ STR_INIT("CHOWN"), CAP_CHOWN },
	{ STR_INIT("DAC_OVERRIDE"), CAP_DAC_OVERRIDE },
	{ STR_INIT("DAC_READ_SEARCH"), CAP_DAC_READ_SEARCH },
	{ STR_INIT("FOWNER"), CAP_FOWNER },
	{ STR_INIT("KILL"), CAP_KILL },
	{ STR_INIT("NET_ADMIN"), CAP_NET_ADMIN },
	{ STR_INIT("NET_BIND_SERVICE"), CAP_NET_BIND_SERVICE },
	{ STR_INIT("NET_BROADCAST"), CAP_NET_BROADCAST },
	{ STR_INIT("NET_RAW"), CAP_NET_RAW },
	{ STR_INIT("SETGID"), CAP_SETGID },
	{ STR_INIT("SETPCAP"), CAP_SETPCAP },
	{ STR_INIT("SETUID"), CAP_SETUID },
	{ STR_INIT("SYS_ADMIN"), CAP_SYS_ADMIN },
	{ STR_INIT("SYS_CHROOT"), CAP_SYS_CHROOT },
	{ STR_INIT("SYS_NICE"), CAP_SYS_NICE },
	{ STR_INIT("SYS_RESOURCE"), CAP_SYS_RESOURCE },
	{ STR_INIT("SYS_TIME"), CAP_SYS_TIME },
};

static int caps_of(struct str names, uint64_t *ret)
{
	struct str one;

	*ret = 0;
	if (str_eq(names, STR("none")))
		return 0;
	while (str_split(&names, ',', &one)) {
		size_t i = 0, n = sizeof(caps) / sizeof(caps[0]);

		while (i < n && !str_eq(one, caps[i].name))
			i++;
		if (i == n)
			return -EINVAL;
		*ret |= UINT64_C(1) << caps[i].bit;
	}
	return 0;
}

static int read_daemon(struct job *j, struct daemon *d, char name[TREE_PATH])
{
	char word[TREE_PATH];
	const char *value;
	int r = job_word(j, name) ? 0 : -EINVAL;

	*d = (struct daemon){ .name = name };
	while (r == 0 && job_word(j, word)) {
		if (job_value(word, "user", &value)) {
			r = str_copy(d->user, sizeof(d->user), str_of(value));
			r = r < 0 ? r : users_number(j->tree, "/etc/passwd", d->user, &d->uid);
		} else if (job_value(word, "caps", &value)) {
			d->has_caps = true;
			r = caps_of(str_of(value), &d->caps);
		}
		d->no_new_privs |= strcmp(word, "nnp") == 0;
		d->seccomp |= strcmp(word, "seccomp") == 0;
		d->must_run |= strcmp(word, "must") == 0;
	}
	return r;
}

/* The words behind "Name:" in /proc/PID/status. */
static struct str status_of(struct str status, struct str name)
{
	struct str line;

	while (str_line(&status, &line)) {
		if (str_has_prefix(line, name) && line.n > name.n && line.p[name.n] == ':')
			return str_trim(str_skip(line, name.n + 1));
	}
	return STR("");
}

static uint64_t hex_of(struct str text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							: 0;

		n = n << 4 | digit;
	}
	return n;
}

static void judge_process(struct job *j, const struct daemon *d, struct str status)
{
	static const struct str sets[] = { STR_INIT("CapEff"), STR_INIT("CapPrm"),
					   STR_INIT("CapBnd"), STR_INIT("CapAmb") };
	struct str uids = status_of(status, STR("Uid")), uid;
	uint32_t n;

	/* real, effective, saved, of files */
	while (d->user[0] && str_split(&uids, '\t', &uid)) {
		if (str_to_u32(uid, UINT32_MAX, &n) < 0 || n != d->uid) {
			job_fault(j, "%s runs as user %.*s, not as %s", d->name, STR_ARG(uid),
				  d->user);
			break;
		}
	}
	for (size_t i = 0; d->has_caps && i < sizeof(sets) / sizeof(sets[0]); i++) {
		uint64_t more = hex_of(status_of(status, sets[i])) & ~d->caps;

		if (more)
			job_fault(j, "%s has more capabilities than it needs: %.*s %llx", d->name,
				  STR_ARG(sets[i]), (unsigned long long)more);
	}
	if (d->no_new_privs && !str_eq(status_of(status, STR("NoNewPrivs")), STR("1")))
		job_fault(j, "%s can gain privileges", d->name);
	if (d->seccomp && !str_eq(status_of(status, STR("Seccomp")), STR("2")))
		job_fault(j, "%s may make any system call", d->name);
}

static int look_at(struct job *j, const struct daemon *d, const char *pid)
{
	CLEANUP(buf_done) struct buf status = BUF_INIT;
	char path[TREE_PATH];
	struct buf text = buf_fixed(path, sizeof(path));
	struct str name = str_head(str_of(d->name), COMM_MAX);

	buf_printf(&text, "/proc/%s/status", pid);
	if (buf_error(&text))
		return -ENAMETOOLONG;

	int r = tree_read(j->tree, path, &status);

	if (r == -ENOENT || r == -ESRCH) /* it ended */
		return 0;
	if (r < 0 || !str_eq(status_of(buf_str(&status), STR("Name")), name))
		return r;
	j->looked_at++;
	judge_process(j, d, buf_str(&status));
	return 0;
}

int check_daemon(struct job *j)
{
	char name[TREE_PATH];
	struct daemon d;
	int r = read_daemon(j, &d, name);
	int fd = r < 0 ? r : tree_fd(j->tree, "/proc", O_RDONLY | O_DIRECTORY);
	CLEANUP(closedir) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool is_machine = false;

	if (r < 0)
		return r;
	if (fd >= 0 && !folder) {
		(void)close(fd);
		return -ENOMEM;
	}
	while (folder && r == 0 && (e = readdir(folder))) {
		if (!str_is_digits(str_of(e->d_name)))
			continue;
		is_machine = true;
		r = look_at(j, &d, e->d_name);
	}
	if (r == 0 && j->looked_at == 0 && d.must_run && is_machine)
		job_fault(j, "%s does not run", d.name);
	else if (r == 0 && j->looked_at == 0)
		job_skip(j, is_machine ? "it does not run" : "takes a running machine");
	return r;
}

/* --- sockets --- */

/* What switch-lockoutd keeps of switchd's parameters. */
#define SETTINGS_PATH "/var/lib/tandem-lockout/settings.json"

enum { HONEYPOTS_MAX = 16 };

struct doors {
	uint16_t tcp[4];
	struct traps {
		uint16_t port[HONEYPOTS_MAX];
		size_t n;
	} tcp_traps, udp_traps;
	uint16_t sip, media_first, media_last;
};

static void take_traps(struct traps *t, const json_t *all, const char *name)
{
	struct str rest = str_of(json_string_value(json_object_get(all, name))), one;
	uint32_t port;

	while (t->n < HONEYPOTS_MAX && str_split(&rest, ',', &one)) {
		if (str_to_u32(str_trim(one), UINT16_MAX, &port) == 0)
			t->port[t->n++] = (uint16_t)port;
	}
}

/* Ports where nobody has any business, and the switch listens for those who try. */
static int read_honeypots(struct job *j, struct doors *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *all = NULL;
	int r = tree_read(j->tree, SETTINGS_PATH, &text);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	all = json_loadb(text.p, text.n, 0, NULL);
	take_traps(&ret->tcp_traps, all, "SS_LOCKOUT_HONEYPOT_PORTS");
	take_traps(&ret->udp_traps, all, "SS_LOCKOUT_HONEYPOT_UDP_PORTS");
	return 0;
}

static bool is_trap(const struct traps *t, uint64_t port)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->port[i] == port)
			return true;
	}
	return false;
}

static int read_doors(struct job *j, struct doors *ret)
{
	static const enum answer ports[] = { ANSWER_SIP_PORT, ANSWER_SIP_TLS_PORT, ANSWER_API_PORT,
					     ANSWER_SSH_PORT };
	CLEANUP(answers_free) struct answers *a = answers_create();
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct answers_report report;
	int r = a ? tree_read(j->tree, ANSWERS_PATH, &text) : -ENOMEM;

	if (r == 0)
		r = answers_parse(a, buf_str(&text), &report);
	if (r == -EINVAL)
		job_fault(j, "%s has faults", ANSWERS_PATH);
	else if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		ret->tcp[i] = (uint16_t)answers_int(a, ports[i]);
	ret->sip = ret->tcp[0];
	answers_ports(a, ANSWER_MEDIA_PORTS, &ret->media_first, &ret->media_last);
	return read_honeypots(j, ret);
}

static bool is_open_tcp(const struct doors *d, uint64_t port)
{
	for (size_t i = 0; i < sizeof(d->tcp) / sizeof(d->tcp[0]); i++) {
		if (d->tcp[i] && d->tcp[i] == port)
			return true;
	}
	return is_trap(&d->tcp_traps, port);
}

static bool is_open_udp(const struct doors *d, uint64_t port)
{
	return port == d->sip || port == DHCP4 || port == DHCP6 ||
	       (port >= d->media_first && port <= d->media_last) || is_trap(&d->udp_traps, port);
}

/* Hex in the order of the machine's bytes: the last one of an IPv4 address is its first. */
static bool is_loopback(struct str address)
{
	static const struct str six = STR_INIT("00000000000000000000000001000000");

	return address.n == 8
		       ? str_has_suffix(address, STR("7F")) || str_has_suffix(address, STR("7f"))
		       : str_eq(address, six) ||
				 (str_has_prefix(address, STR("0000000000000000FFFF0000")) &&
				  str_has_suffix(address, STR("7F")));
}

static uint64_t port_of(struct str hex)
{
	uint64_t n = 0;

	for (size_t i = 0; i < hex.n; i++) {
		char c = hex.p[i];

		n = n << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/* "sl local remote state ...". A connected UDP socket hears its peer only. */
static void judge_socket(struct job *j, const struct doors *d, struct str line, bool is_tcp)
{
	struct str word[4] = { 0 };
	size_t n = 0;

	for (struct str one; n < 4 && str_split(&line, ' ', &one);) {
		if (!str_is_empty(one))
			word[n++] = one;
	}

	ptrdiff_t colon = str_chr(word[1], ':');

	if (n < 4 || colon < 0 || !str_eq(word[3], is_tcp ? STR("0A") : STR("07")) ||
	    is_loopback(str_head(word[1], (size_t)colon)))
		return;

	uint64_t port = port_of(str_skip(word[1], (size_t)colon + 1));

	if (!(is_tcp ? is_open_tcp(d, port) : is_open_udp(d, port)))
		job_fault(j, "something listens at %s port %llu", is_tcp ? "TCP" : "UDP",
			  (unsigned long long)port);
}

static int read_sockets(struct job *j, const struct doors *d, const char *path, bool is_tcp)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str rest, line;
	int r = tree_read(j->tree, path, &text);

	if (r == -ENOENT)
		return 0;
	rest = buf_str(&text);
	(void)str_line(&rest, &line); /* names of the columns */
	while (r == 0 && str_line(&rest, &line))
		judge_socket(j, d, line, is_tcp);
	j->looked_at++;
	return r;
}

int check_sockets(struct job *j)
{
	struct doors d = { 0 };
	char word[TREE_PATH];
	int r = job_word(j, word) ? read_doors(j, &d) : -EINVAL;
	bool is_tcp = strcmp(word, "tcp") == 0;

	if (r == 0)
		r = read_sockets(j, &d, is_tcp ? "/proc/net/tcp" : "/proc/net/udp", is_tcp);
	if (r == 0)
		r = read_sockets(j, &d, is_tcp ? "/proc/net/tcp6" : "/proc/net/udp6", is_tcp);
	if (r == 0 && j->looked_at == 0)
		job_skip(j, "takes a running machine");
	return r;
}
