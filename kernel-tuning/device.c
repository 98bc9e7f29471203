#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "knobs/knob.h"

enum {
	CPUS_MAX = 1024,
	PAGE = 4096,
	FLOWS = 32768,           /* sysctls.tsv: net.core.rps_sock_flow_entries */
	SOCKET_BYTES = 16777216, /* sysctls.tsv: net.core.rmem_max */
	SOCKETS_OF_CPU = 2,      /* signalling and its answers */
	SOCKETS_OF_CALL = 4,     /* RTP and RTCP of two legs */
	BYTES_OF_MEDIA = 8192,   /* some packets of 20 ms that wait for their thread */
	IDLE_US_MAX = 100,       /* a processor may take this long to wake up */
	NAMES_MAX = 1024,
	NAME_MAX_BYTES = 64,
};

struct machine {
	int root;
	uint32_t cpus; /* those that run, which are taken to be the first */
	uint64_t memory_kib;
	uint32_t lines;
	wish_fn *fn;
	void *ctx;
};

typedef int name_fn(struct machine *m, const char *folder, const char *name);

/* --- asking --- */

static int read_at(const struct machine *m, const char *folder, const char *name, char **ret)
{
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));

	buf_printf(&b, "%s/%s", folder, name);
	return buf_error(&b) ? -ENAMETOOLONG : knob_read(m->root, path, ret);
}

static bool is_there(const struct machine *m, const char *folder, const char *name)
{
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));

	buf_printf(&b, "%s/%s", folder, name);
	return !buf_error(&b) && faccessat(m->root, path, F_OK, 0) == 0;
}

/* Every name in a folder that begins so; none if there is no such folder. */
static int each_name(struct machine *m, const char *folder, const char *start, name_fn *fn)
{
	int fd = openat(m->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0, n = 0;

	if (fd >= 0 && !d)
		(void)close(fd);
	while (d && r == 0 && n < NAMES_MAX && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !str_has_prefix(str_of(e->d_name), str_of(start)))
			continue;
		r = fn(m, folder, e->d_name);
		n++;
	}
	return r;
}

static int count_names(const struct machine *m, const char *folder, const char *start)
{
	int fd = openat(m->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int n = 0;

	if (fd >= 0 && !d)
		(void)close(fd);
	while (d && (e = readdir(d)))
		n += str_has_prefix(str_of(e->d_name), str_of(start));
	return n;
}

/* "0-3,5": how many. */
static uint32_t count_list(struct str list)
{
	struct str range, low, high;
	uint32_t first, last, n = 0;

	while (str_split(&list, ',', &range)) {
		(void)str_split(&range, '-', &low);
		high = str_is_empty(range) ? low : range;
		if (str_to_u32(low, CPUS_MAX, &first) == 0 &&
		    str_to_u32(high, CPUS_MAX, &last) == 0 && last >= first)
			n += last - first + 1;
	}
	return n;
}

static int read_machine(struct machine *m)
{
	CLEANUP(free) char *online = NULL;
	CLEANUP(free) char *memory = NULL;
	struct str words, word;
	int r = knob_read(m->root, "sys/devices/system/cpu/online", &online);

	if (r == -ENOMEM)
		return r;
	m->cpus = r == 0 ? count_list(str_of(online)) : 0;
	r = knob_read(m->root, "proc/meminfo", &memory);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	words = str_of(memory);
	while (str_split(&words, ' ', &word)) {
		if (str_eq(word, STR("MemTotal:")) && str_split(&words, ' ', &word))
			return str_to_u64(word, UINT64_MAX, &m->memory_kib) == 0 ? 0 : -EINVAL;
	}
	return 0;
}

/* --- wishing --- */

/* The path in parts: folder, name, what is below. */
static int begin(struct wish *w, const char *folder, const char *name, const char *below)
{
	struct buf b = buf_fixed(w->path, sizeof(w->path));

	*w = (struct wish){ .rule = DEVICE_EQUAL };
	buf_printf(&b, "%s/%s%s", folder, name, below);
	return buf_error(&b) ? -ENAMETOOLONG : 0;
}

__attribute__((format(printf, 3, 4))) static int wish(struct machine *m, struct wish *w,
						      const char *fmt, ...)
{
	struct buf b = buf_fixed(w->why, sizeof(w->why));
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return buf_error(&b) ? -ENAMETOOLONG : m->fn(m->ctx, w);
}

/* Processors that queue number `queue` of `queues` gets: each n-th; with is_all: every one. */
static int put_mask(struct wish *w, uint32_t cpus, int queue, int queues, bool is_all)
{
	struct buf b = buf_fixed(w->value, sizeof(w->value));
	uint32_t words = (cpus + 31) / 32;

	w->rule = DEVICE_MASK;
	for (uint32_t i = words; i-- > 0;) {
		uint32_t bits = 0;

		for (uint32_t k = 0; k < 32 && i * 32 + k < cpus; k++) {
			bool is_mine = is_all || (i * 32 + k) % (uint32_t)queues == (uint32_t)queue;

			bits |= is_mine ? UINT32_C(1) << k : 0;
		}
		buf_printf(&b, i + 1 == words ? "%x" : "%08x", bits);
		if (i > 0)
			buf_putc(&b, ',');
	}
	return buf_error(&b) ? -ENAMETOOLONG : 0;
}

static int set_value(struct wish *w, const char *value)
{
	return str_copy(w->value, sizeof(w->value), str_of(value));
}

/* --- network cards --- */

/* Of "rx-12". */
static int number_of(const char *name)
{
	uint32_t n;

	return str_to_u32(str_skip(str_of(name), 3), CPUS_MAX, &n) == 0 ? (int)n : 0;
}

static int receive(struct machine *m, const char *queues, const char *name)
{
	int n = count_names(m, queues, "rx-");
	bool is_spread = (uint32_t)n >= m->cpus;
	struct wish w;
	int r = begin(&w, queues, name, "/rps_cpus");

	if (r == 0 && is_spread) {
		w.rule = DEVICE_MASK;
		r = set_value(&w, "0");
		if (r == 0)
			r = wish(m, &w,
				 "%d queues for %u processors: the card spreads packets itself", n,
				 m->cpus);
	} else if (r == 0) {
		r = put_mask(&w, m->cpus, 0, 1, true);
		if (r == 0)
			r = wish(m, &w,
				 "%d queues for %u processors: the kernel spreads packets over all",
				 n, m->cpus);
	}
	if (r == 0)
		r = begin(&w, queues, name, "/rps_flow_cnt");
	if (r == 0) {
		struct buf b = buf_fixed(w.value, sizeof(w.value));

		buf_printf(&b, "%d", is_spread ? 0 : FLOWS / (n ? n : 1));
		r = wish(m, &w,
			 "packets of a socket go to the processor that reads it: %d over %d queues",
			 is_spread ? 0 : FLOWS, n);
	}
	return r;
}

/* A card with one queue has nothing to choose, and the kernel says so. */
static int transmit(struct machine *m, const char *queues, const char *name)
{
	int n = count_names(m, queues, "tx-"), at = number_of(name);
	struct wish w;
	int r = begin(&w, queues, name, "/xps_cpus");

	if (n < 2 || r < 0)
		return r;
	w.is_optional = true;
	r = put_mask(&w, m->cpus, (uint32_t)at < m->cpus ? at : at % (int)m->cpus,
		     (uint32_t)n < m->cpus ? n : (int)m->cpus, false);
	return r < 0 ? r
		     : wish(m, &w, "%d queues for %u processors: each sends by a queue of its own",
			    n, m->cpus);
}

/* The n-th interrupt of a card goes to the n-th processor. */
static int interrupts(struct machine *m, const char *folder, const char *card)
{
	int fd = openat(m->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint32_t irq[CPUS_MAX], count = 0;
	const struct dirent *e;
	int r = 0;

	if (fd >= 0 && !d)
		(void)close(fd);
	while (d && count < CPUS_MAX && (e = readdir(d)))
		count += str_to_u32(str_of(e->d_name), UINT32_MAX, &irq[count]) == 0;
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		uint32_t before = 0;
		struct wish w;
		char name[NAME_MAX_BYTES];
		struct buf b = buf_fixed(name, sizeof(name));

		for (uint32_t k = 0; k < count; k++)
			before += irq[k] < irq[i];
		buf_printf(&b, "%u", irq[i]);
		if (!is_there(m, "proc/irq", name))
			continue;
		r = begin(&w, "proc/irq", name, "/smp_affinity");
		w.is_optional = true;
		if (r == 0)
			r = put_mask(&w, m->cpus, (int)(before % m->cpus), (int)m->cpus, false);
		if (r == 0)
			r = wish(m, &w, "interrupt %u of %u of %s: each has a processor",
				 before + 1, count, card);
	}
	return r;
}

static int card(struct machine *m, const char *folder, const char *name)
{
	/* Where a card stands on its bus; of virtio the device is one step further away. */
	static const char *const places[] = { "/device/msi_irqs", "/device/../msi_irqs" };
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	int r;

	buf_printf(&b, "%s/%s", folder, name);
	if (buf_error(&b) || !is_there(m, path, "device"))
		return 0;
	buf_putz(&b, "/queues");
	if (buf_error(&b) || !buf_cstr(&b))
		return -ENAMETOOLONG;
	r = each_name(m, path, "rx-", receive);
	if (r == 0)
		r = each_name(m, path, "tx-", transmit);
	for (size_t i = 0; r == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		buf_clear(&b);
		buf_printf(&b, "%s/%s%s", folder, name, places[i]);
		if (buf_error(&b))
			return -ENAMETOOLONG;
		if (is_there(m, path, "")) {
			r = interrupts(m, path, name);
			break;
		}
	}
	return r;
}

/* --- processors and memory --- */

static int idle_state(struct machine *m, const char *folder, const char *name)
{
	CLEANUP(free) char *latency = NULL;
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	uint32_t us;
	struct wish w;
	int r;

	buf_printf(&b, "%s/%s", folder, name);
	if (buf_error(&b))
		return -ENAMETOOLONG;
	r = read_at(m, path, "latency", &latency);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || str_to_u32(str_of(latency), UINT32_MAX, &us) < 0 || us <= IDLE_US_MAX)
		return 0;
	r = begin(&w, folder, name, "/disable");
	if (r == 0)
		r = set_value(&w, "1");
	return r < 0 ? r
		     : wish(m, &w,
			    "it takes %u us to wake up from: a packet would wait, at most %d are "
			    "fine",
			    us, IDLE_US_MAX);
}

static int processor(struct machine *m, const char *folder, const char *name)
{
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	struct wish w;
	int r = 0;

	buf_printf(&b, "%s/%s", folder, name);
	if (buf_error(&b))
		return -ENAMETOOLONG;
	if (is_there(m, path, "cpufreq/scaling_governor")) {
		r = begin(&w, folder, name, "/cpufreq/scaling_governor");
		if (r == 0)
			r = set_value(&w, "performance");
		if (r == 0)
			r = wish(m, &w,
				 "a processor that speeds up only when it is busy is late for RTP");
	}
	buf_putz(&b, "/cpuidle");
	if (buf_error(&b) || !buf_cstr(&b))
		return -ENAMETOOLONG;
	return r < 0 ? r : each_name(m, path, "state", idle_state);
}

static int huge_pages(struct machine *m)
{
	static const struct {
		const char *name, *value, *why;
	} rows[] = {
		{ "enabled", "madvise",
		  "joining pages behind a program's back stops it for milliseconds" },
		{ "defrag", "madvise", "and so does making room for them" },
	};
	static const char folder[] = "sys/kernel/mm/transparent_hugepage";
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish w;

		if (!is_there(m, folder, rows[i].name))
			continue;
		r = begin(&w, folder, rows[i].name, "");
		w.rule = DEVICE_CHOICE;
		if (r == 0)
			r = set_value(&w, rows[i].value);
		if (r == 0)
			r = wish(m, &w, "%s", rows[i].why);
	}
	return r;
}

/* What all UDP sockets together may hold. A quarter of the memory is the end of it. */
static int udp_memory(struct machine *m)
{
	uint64_t bytes = (uint64_t)m->cpus * SOCKETS_OF_CPU * SOCKET_BYTES +
			 (uint64_t)m->lines * SOCKETS_OF_CALL * BYTES_OF_MEDIA;
	uint64_t pages = bytes / PAGE, most = m->memory_kib * 1024 / PAGE / 4;
	struct wish w;
	struct buf b = buf_fixed(w.value, sizeof(w.value));
	int r = begin(&w, "proc/sys/net/ipv4", "udp_mem", "");

	if (r < 0 || m->memory_kib == 0)
		return r;
	if (pages > most)
		pages = most;
	w.rule = DEVICE_TRIPLE;
	buf_printf(&b, "%llu %llu %llu", (unsigned long long)(pages / 2),
		   (unsigned long long)(pages * 3 / 4), (unsigned long long)pages);
	return buf_error(&b)
		       ? -ENAMETOOLONG
		       : wish(m, &w,
			      "pages of %d: %d sockets of 16 MiB for each of %u processors, %d of "
			      "8 KiB for each of %u calls, at most a quarter of the memory",
			      PAGE, SOCKETS_OF_CPU, m->cpus, SOCKETS_OF_CALL, m->lines);
}

int device_each(int root, uint32_t lines, wish_fn *fn, void *ctx)
{
	struct machine m = { .root = root, .lines = lines, .fn = fn, .ctx = ctx };
	int r = read_machine(&m);

	/* Without a /sys there is nothing to be wished. */
	if (r < 0 || m.cpus == 0)
		return r;
	r = each_name(&m, "sys/class/net", "", card);
	if (r == 0)
		r = each_name(&m, "sys/devices/system/cpu", "cpu", processor);
	if (r == 0)
		r = huge_pages(&m);
	return r < 0 ? r : udp_memory(&m);
}

/* --- judging --- */

static bool next_digit(struct str *rest, char *ret)
{
	while (!str_is_empty(*rest) && rest->p[0] == ',')
		*rest = str_skip(*rest, 1);
	if (str_is_empty(*rest))
		return false;
	*ret = rest->p[0];
	*rest = str_skip(*rest, 1);
	return true;
}

static struct str without_zeros(struct str s)
{
	while (!str_is_empty(s) && (s.p[0] == '0' || s.p[0] == ','))
		s = str_skip(s, 1);
	return s;
}

static bool is_same_mask(struct str a, struct str b)
{
	char x = 0, y = 0;
	bool has_x, has_y;

	a = without_zeros(a);
	b = without_zeros(b);
	do {
		has_x = next_digit(&a, &x);
		has_y = next_digit(&b, &y);
	} while (has_x && has_y && x == y);
	return !has_x && !has_y;
}

static bool is_chosen(struct str wanted, struct str now)
{
	struct str word;

	while (str_split(&now, ' ', &word)) {
		if (word.n == wanted.n + 2 && word.p[0] == '[' &&
		    str_eq(str_n(word.p + 1, wanted.n), wanted))
			return true;
	}
	return false;
}

static bool is_enough(struct str wanted, struct str now)
{
	struct str least, is;
	uint64_t a, b;
	int n = 0;

	while (str_split(&wanted, ' ', &least)) {
		if (!str_split(&now, ' ', &is) || str_to_u64(least, UINT64_MAX, &a) < 0 ||
		    str_to_u64(is, UINT64_MAX, &b) < 0 || b < a)
			return false;
		n++;
	}
	return n == 3;
}

bool device_is_right(enum device_rule rule, const char *wanted, const char *now)
{
	switch (rule) {
	case DEVICE_MASK:
		return is_same_mask(str_of(wanted), str_of(now));
	case DEVICE_CHOICE:
		return is_chosen(str_of(wanted), str_of(now));
	case DEVICE_TRIPLE:
		return is_enough(str_of(wanted), str_of(now));
	case DEVICE_EQUAL:
	default:
		return strcmp(wanted, now) == 0;
	}
}
