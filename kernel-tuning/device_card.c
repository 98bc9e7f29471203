#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "device_inner.h"
#include "knobs/ethtool.h"
#include "knobs/knob.h"

/* Of a network card: its queues and interrupts over the processors that are near to it, its rings, its patience. */

enum {
	FLOWS = 32768, /* sysctls.tsv: net.core.rps_sock_flow_entries */
	NAME_MAX_BYTES = 64,
	RING_MAX = 4096, /* more only ages packets, and takes cache */
	COLLECT_US = 50, /* of 20 ms between two packets of a call */
};

/* Each `step`-th of the processors from `first` on. */
static int put_mask(struct wish *w, const struct cpus *cpus, uint32_t first, uint32_t step)
{
	struct buf b = buf_fixed(w->value, sizeof(w->value));
	uint32_t bits[CPUS_MAX / 32] = { 0 };
	uint32_t words = cpus->id[cpus->n - 1] / 32 + 1;

	w->rule = DEVICE_MASK;
	for (uint32_t i = first; i < cpus->n; i += step)
		bits[cpus->id[i] / 32] |= UINT32_C(1) << cpus->id[i] % 32;
	for (uint32_t i = words; i-- > 0;) {
		buf_printf(&b, i + 1 == words ? "%x" : "%08x", bits[i]);
		if (i > 0)
			buf_putc(&b, ',');
	}
	return buf_error(&b) ? -ENAMETOOLONG : 0;
}

/* Those that share the card's memory node; all, where the machine has but one. */
static void find_near(struct machine *m, const char *card)
{
	CLEANUP(free) char *node = NULL;
	CLEANUP(free) char *list = NULL;
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	struct cpus near;
	uint32_t n;

	m->near = m->cpus;
	if (device_read(m, card, "device/numa_node", &node) < 0 ||
	    str_to_u32(str_of(node), UINT16_MAX, &n) < 0)
		return;
	buf_printf(&b, "sys/devices/system/node/node%u", n);
	if (!buf_cstr(&b) || device_read(m, path, "cpulist", &list) < 0)
		return;
	cpus_take(&near, str_of(list));
	if (near.n > 0)
		m->near = near;
}

/* ---- in the card ---- */

static int read_number(const struct machine *m, const char *card, const char *what, uint32_t *ret)
{
	CLEANUP(free) char *text = NULL;
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	int r;

	buf_printf(&b, ETHTOOL "%s", card);
	if (!buf_cstr(&b))
		return -ENAMETOOLONG;
	r = device_read(m, path, what, &text);
	return r < 0 ? r : str_to_u32(str_of(text), UINT32_MAX, ret);
}

/* A driver without rings, or that cannot say how long they may be, is left alone. */
static int ring(struct machine *m, const char *card, const char *what, const char *why)
{
	char name[NAME_MAX_BYTES];
	struct buf b = buf_fixed(name, sizeof(name));
	struct wish w;
	uint32_t most;
	int r;

	buf_printf(&b, "%s-max", what);
	r = buf_cstr(&b) ? read_number(m, card, name, &most) : -ENAMETOOLONG;
	if (r < 0 || most == 0)
		return r == -ENOMEM ? r : 0;
	buf_clear(&b);
	buf_printf(&b, "/%s", what);
	r = buf_cstr(&b) ? wish_begin(&w, "ethtool", card, name) : -ENAMETOOLONG;
	b = buf_fixed(w.value, sizeof(w.value));
	buf_printf(&b, "%u", most < RING_MAX ? most : RING_MAX);
	w.is_optional = true;
	return r < 0 ? r : wish_tell(m, &w, "%s; the card has room for %u", why, most);
}

/* A card that finds out by itself is let; so is one that collects nothing: those that cannot (virtio) say 0 and take no other. */
static int coalesce(struct machine *m, const char *card)
{
	struct wish w;
	uint32_t us, is_adaptive = 0;
	int r = read_number(m, card, "rx-usecs", &us);

	if (r == 0)
		(void)read_number(m, card, "adaptive-rx", &is_adaptive);
	if (r < 0 || us == 0 || is_adaptive)
		return r == -ENOMEM ? r : 0;
	r = wish_begin(&w, "ethtool", card, "/rx-usecs");
	struct buf b = buf_fixed(w.value, sizeof(w.value));

	buf_printf(&b, "%d", COLLECT_US);
	w.is_optional = true;
	return r < 0 ? r
		     : wish_tell(m, &w,
				 "an interrupt for all packets of %d us: fewer interrupts, and no "
				 "delay that a call notices",
				 COLLECT_US);
}

/* ---- over the processors ---- */

/* Of "rx-12". */
static int number_of(const char *name)
{
	uint32_t n;

	return str_to_u32(str_skip(str_of(name), 3), CPUS_MAX, &n) == 0 ? (int)n : 0;
}

static int receive(struct machine *m, const char *queues, const char *name)
{
	const struct cpus *near = &m->near;
	int n = device_count_names(m, queues, "rx-");
	bool is_spread = (uint32_t)n >= near->n;
	struct wish w;
	int r = wish_begin(&w, queues, name, "/rps_cpus");

	if (r == 0 && is_spread) {
		w.rule = DEVICE_MASK;
		r = wish_set(&w, "0");
		if (r == 0)
			r = wish_tell(
				m, &w,
				"%d queues for %u processors: the card spreads packets itself", n,
				near->n);
	} else if (r == 0) {
		r = put_mask(&w, near, 0, 1);
		if (r == 0)
			r = wish_tell(
				m, &w,
				"%d queues for %u processors: the kernel spreads packets over all",
				n, near->n);
	}
	if (r == 0)
		r = wish_begin(&w, queues, name, "/rps_flow_cnt");
	if (r == 0) {
		struct buf b = buf_fixed(w.value, sizeof(w.value));

		buf_printf(&b, "%d", is_spread ? 0 : FLOWS / (n ? n : 1));
		r = wish_tell(
			m, &w,
			"packets of a socket go to the processor that reads it: %d over %d queues",
			is_spread ? 0 : FLOWS, n);
	}
	return r;
}

/* A card with one queue has nothing to choose, and the kernel says so. */
static int transmit(struct machine *m, const char *queues, const char *name)
{
	int n = device_count_names(m, queues, "tx-"), at = number_of(name);
	struct wish w;
	int r = wish_begin(&w, queues, name, "/xps_cpus");

	if (n < 2 || r < 0)
		return r;
	w.is_optional = true;
	r = put_mask(&w, &m->cpus, (uint32_t)at % m->cpus.n,
		     (uint32_t)n < m->cpus.n ? (uint32_t)n : m->cpus.n);
	return r < 0 ? r
		     : wish_tell(m, &w,
				 "%d queues for %u processors: each sends by a queue of its own", n,
				 m->cpus.n);
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
		if (!device_has(m, "proc/irq", name))
			continue;
		r = wish_begin(&w, "proc/irq", name, "/smp_affinity");
		w.is_optional = true;
		if (r == 0)
			r = put_mask(&w, &m->near, before % m->near.n, m->near.n);
		if (r == 0)
			r = wish_tell(m, &w,
				      m->near.n < m->cpus.n
					      ? "interrupt %u of %u of %s: each has a processor of "
						"the card's own memory node"
					      : "interrupt %u of %u of %s: each has a processor",
				      before + 1, count, card);
	}
	return r;
}

int device_card(struct machine *m, const char *folder, const char *name)
{
	/* Where a card stands on its bus; of virtio the device is one step further away. */
	static const char *const places[] = { "/device/msi_irqs", "/device/../msi_irqs" };
	char path[DEVICE_PATH];
	struct buf b = buf_fixed(path, sizeof(path));
	int r;

	buf_printf(&b, "%s/%s", folder, name);
	if (buf_error(&b) || !device_has(m, path, "device"))
		return 0;
	find_near(m, path);
	r = ring(m, name, "rx-ring", "bursts wait in the card until a processor takes them");
	if (r == 0)
		r = ring(m, name, "tx-ring", "bursts of answers wait in the card");
	if (r == 0)
		r = coalesce(m, name);
	if (r < 0)
		return r;
	buf_putz(&b, "/queues");
	if (buf_error(&b) || !buf_cstr(&b))
		return -ENAMETOOLONG;
	r = device_each_name(m, path, "rx-", receive);
	if (r == 0)
		r = device_each_name(m, path, "tx-", transmit);
	for (size_t i = 0; r == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		buf_clear(&b);
		buf_printf(&b, "%s/%s%s", folder, name, places[i]);
		if (buf_error(&b))
			return -ENAMETOOLONG;
		if (device_has(m, path, "")) {
			r = interrupts(m, path, name);
			break;
		}
	}
	return r;
}
