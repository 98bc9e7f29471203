#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/nice.h"
#include "device_inner.h"
#include "knobs/knob.h"

enum {
	PAGE = 4096,
	SOCKET_BYTES = 16777216, /* sysctls.tsv: net.core.rmem_max */
	SOCKETS_OF_CPU = 2,      /* signalling and its answers */
	SOCKETS_OF_CALL = 4,     /* RTP and RTCP of two legs */
	BYTES_OF_MEDIA = 8192,   /* some packets of 20 ms that wait for their thread */
	IDLE_US_MAX = 100,       /* a processor may take this long to wake up */
	NAMES_MAX = 1024,
};

/* --- asking --- */

int device_read(const struct machine *m, const char *folder, const char *name, char **ret)
{
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));

	buf_printf(&b, "%s/%s", folder, name);
	return buf_error(&b) ? -ENAMETOOLONG : knob_read(m->root, path, ret);
}

bool device_has(const struct machine *m, const char *folder, const char *name)
{
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));

	buf_printf(&b, "%s/%s", folder, name);
	return !buf_error(&b) && faccessat(m->root, path, F_OK, 0) == 0;
}

/* Every name in a folder that begins so; none if there is no such folder. */
int device_each_name(struct machine *m, const char *folder, const char *start, name_fn *fn)
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

int device_count_names(const struct machine *m, const char *folder, const char *start)
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

void cpus_take(struct cpus *c, struct str list)
{
	struct str range, low, high;
	uint32_t first, last;

	c->n = 0;
	while (str_split(&list, ',', &range)) {
		(void)str_split(&range, '-', &low);
		high = str_is_empty(range) ? low : range;
		if (str_to_u32(low, CPUS_MAX - 1, &first) < 0 ||
		    str_to_u32(high, CPUS_MAX - 1, &last) < 0)
			continue;
		while (first <= last && c->n < CPUS_MAX)
			c->id[c->n++] = (uint16_t)first++;
	}
}

static int read_machine(struct machine *m)
{
	CLEANUP(free) char *online = NULL;
	CLEANUP(free) char *memory = NULL;
	struct str words, word;
	int r = knob_read(m->root, "sys/devices/system/cpu/online", &online);

	if (r == -ENOMEM)
		return r;
	cpus_take(&m->cpus, r == 0 ? str_of(online) : STR(""));
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
int wish_begin(struct wish *w, const char *folder, const char *name, const char *below)
{
	struct buf b = buf_fixed(w->path, sizeof(w->path));

	*w = (struct wish){ .rule = DEVICE_EQUAL };
	buf_printf(&b, "%s/%s%s", folder, name, below);
	return buf_error(&b) ? -ENAMETOOLONG : 0;
}

int wish_tell(struct machine *m, struct wish *w, const char *fmt, ...)
{
	struct buf b = buf_fixed(w->why, sizeof(w->why));
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return buf_error(&b) ? -ENAMETOOLONG : m->fn(m->ctx, w);
}

int wish_set(struct wish *w, const char *value)
{
	return str_copy(w->value, sizeof(w->value), str_of(value));
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
	r = device_read(m, path, "latency", &latency);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || str_to_u32(str_of(latency), UINT32_MAX, &us) < 0 || us <= IDLE_US_MAX)
		return 0;
	r = wish_begin(&w, folder, name, "/disable");
	if (r == 0)
		r = wish_set(&w, "1");
	return r < 0 ? r
		     : wish_tell(m, &w,
				 "it takes %u us to wake up from: a packet would wait, at most %d "
				 "are "
				 "fine",
				 us, IDLE_US_MAX);
}

/* What /dev/cpu_dma_latency asks for while a program holds it open, for good. */
static int awake(struct machine *m, const char *folder, const char *name)
{
	struct wish w;
	int r = wish_begin(&w, folder, name, "/power/pm_qos_resume_latency_us");
	struct buf b = buf_fixed(w.value, sizeof(w.value));

	buf_printf(&b, "%d", IDLE_US_MAX);
	w.is_optional = true;
	return r < 0 ? r
		     : wish_tell(
			       m, &w,
			       "no C-state that takes longer than %d us to wake up from, whatever "
			       "driver chooses them",
			       IDLE_US_MAX);
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
	if (device_has(m, path, "cpufreq/scaling_governor")) {
		r = wish_begin(&w, folder, name, "/cpufreq/scaling_governor");
		if (r == 0)
			r = wish_set(&w, "performance");
		if (r == 0)
			r = wish_tell(
				m, &w,
				"a processor that speeds up only when it is busy is late for RTP");
	}
	if (r == 0 && device_has(m, path, "power/pm_qos_resume_latency_us"))
		r = awake(m, folder, name);
	buf_putz(&b, "/cpuidle");
	if (buf_error(&b) || !buf_cstr(&b))
		return -ENAMETOOLONG;
	return r < 0 ? r : device_each_name(m, path, "state", idle_state);
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

		if (!device_has(m, folder, rows[i].name))
			continue;
		r = wish_begin(&w, folder, rows[i].name, "");
		w.rule = DEVICE_CHOICE;
		if (r == 0)
			r = wish_set(&w, rows[i].value);
		if (r == 0)
			r = wish_tell(m, &w, "%s", rows[i].why);
	}
	return r;
}

/* What all UDP sockets together may hold. A quarter of the memory is the end of it. */
static int udp_memory(struct machine *m)
{
	uint64_t bytes = (uint64_t)m->cpus.n * SOCKETS_OF_CPU * SOCKET_BYTES +
			 (uint64_t)m->lines * SOCKETS_OF_CALL * BYTES_OF_MEDIA;
	uint64_t pages = bytes / PAGE, most = m->memory_kib * 1024 / PAGE / 4;
	struct wish w;
	struct buf b = buf_fixed(w.value, sizeof(w.value));
	int r = wish_begin(&w, "proc/sys/net/ipv4", "udp_mem", "");

	if (r < 0 || m->memory_kib == 0)
		return r;
	if (pages > most)
		pages = most;
	w.rule = DEVICE_TRIPLE;
	buf_printf(&b, "%llu %llu %llu", (unsigned long long)(pages / 2),
		   (unsigned long long)(pages * 3 / 4), (unsigned long long)pages);
	return buf_error(&b)
		       ? -ENAMETOOLONG
		       : wish_tell(m, &w,
				   "pages of %d: %d sockets of 16 MiB for each of %u processors, "
				   "%d of "
				   "8 KiB for each of %u calls, at most a quarter of the memory",
				   PAGE, SOCKETS_OF_CPU, m->cpus.n, SOCKETS_OF_CALL, m->lines);
}

/* Once switchd runs: it takes this priority by itself, as far as its unit lets it. */
static int media_threads(struct machine *m)
{
	CLEANUP(free) char *now = NULL;
	struct wish w;
	struct buf b = buf_fixed(w.value, sizeof(w.value));
	int r = wish_begin(&w, "thread/" NICE_PROGRAM, NICE_MEDIA, "/nice");

	buf_printf(&b, "%d", NICE_OF_MEDIA);
	if (r == 0)
		r = knob_read(m->root, w.path, &now);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return wish_tell(m, &w,
			 "a packet that is late is lost: threads of media go before all else, and "
			 "not in real time, which can stop a machine");
}

int device_each(int root, uint32_t lines, wish_fn *fn, void *ctx)
{
	struct machine m = { .root = root, .lines = lines, .fn = fn, .ctx = ctx };
	int r = read_machine(&m);

	/* Without a /sys there is nothing to be wished. */
	if (r < 0 || m.cpus.n == 0)
		return r;
	r = device_each_name(&m, "sys/class/net", "", device_card);
	if (r == 0)
		r = device_each_name(&m, "sys/devices/system/cpu", "cpu", processor);
	if (r == 0)
		r = huge_pages(&m);
	if (r == 0)
		r = media_threads(&m);
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
