#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/inner.h"

/* Room for the closes of 50,000 relays a worker, and some thousand other orders beside them. */
enum { ORDER_BYTES = 4 << 20 };

static int copy_hosts(struct media *m, const struct media_config *c)
{
	m->host = calloc((size_t)c->host_count, sizeof(*m->host));
	m->ports = calloc((size_t)c->host_count, sizeof(struct ports *));
	if (!m->host || !m->ports)
		return -ENOMEM;
	for (int i = 0; i < c->host_count; i++) {
		int r = ports_create(&m->ports[i]);

		if (r < 0)
			return r;
		m->host[i] = c->host[i];
		m->hosts++;
	}
	return 0;
}

static int make_pumps(struct media *m, const struct media_config *c)
{
	m->pump = calloc((size_t)c->threads, sizeof(struct pump *));
	if (!m->pump)
		return -ENOMEM;
	for (int t = 0; t < c->threads; t++) {
		int r = pump_create(&m->pump[t], c->workers);

		if (r < 0)
			return r;
		m->pumps++;
	}
	return 0;
}

/* A line from each worker to each thread. */
static int make_desk(struct media *m, struct desk *d)
{
	d->media = m;
	d->line = calloc((size_t)m->pumps, sizeof(*d->line));
	if (!d->line)
		return -ENOMEM;
	for (int t = 0; t < m->pumps; t++) {
		struct line *l = &d->line[t];
		int r = ring_create(&l->orders, ORDER_BYTES);

		l->media = m;
		l->pump = m->pump[t];
		if (r == 0)
			r = pump_connect(l->pump, l->orders);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_desks(struct media *m, const struct media_config *c)
{
	m->desk = calloc((size_t)c->workers, sizeof(*m->desk));
	if (!m->desk)
		return -ENOMEM;
	m->desks = c->workers;
	for (int i = 0; i < m->desks; i++) {
		int r = make_desk(m, &m->desk[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int start(struct media *m)
{
	int r = 0;

	for (int t = 0; t < m->pumps && r == 0; t++)
		r = pump_start(m->pump[t]);
	return r;
}

int media_create(struct media **ret, const struct media_config *c, struct err *err)
{
	CLEANUP(media_free) struct media *m = calloc(1, sizeof(*m));
	int r = !m ? -ENOMEM : c->threads < 1 || c->workers < 1 ? -EINVAL : copy_hosts(m, c);

	if (r == 0 && c->outside)
		m->outside = *c->outside;
	if (r == 0)
		r = make_pumps(m, c);
	if (r == 0)
		r = make_desks(m, c);
	if (r == 0)
		r = start(m);
	if (r < 0) {
		(void)err_set(err, ERR_INTERNAL, "--media", STR(""), "",
			      "the media threads cannot start");
		return r;
	}
	media_set_ports(m, 10000, 20000);
	*ret = TAKE(m);
	return 0;
}

static void free_desk(struct desk *d, int lines)
{
	for (int t = 0; d->line && t < lines; t++)
		ring_free(d->line[t].orders);
	free(d->line);
}

struct media *media_free(struct media *m)
{
	if (!m)
		return NULL;
	/* the threads first: their last orders close the relays, which know line and ports */
	for (int t = 0; t < m->pumps; t++)
		pump_free(m->pump[t]);
	for (int i = 0; i < m->desks; i++)
		free_desk(&m->desk[i], m->pumps);
	for (int i = 0; i < m->hosts; i++)
		ports_free(m->ports[i]);
	free(m->pump);
	free(m->desk);
	free(m->ports);
	free(m->host);
	free(m);
	return NULL;
}

struct desk *media_desk(struct media *m, int worker)
{
	return &m->desk[worker];
}

void media_set_ports(struct media *m, uint16_t low, uint16_t high)
{
	atomic_store(&m->range, (uint32_t)low << 16 | high);
	for (int i = 0; i < m->hosts; i++)
		ports_set(m->ports[i], low, high);
}

void media_totals(const struct media *m, struct media_totals *ret)
{
	*ret = (struct media_totals){ .relays = atomic_load(&m->relays) };
	for (int t = 0; t < m->pumps; t++) {
		const struct pump *p = m->pump[t];

		ret->packets += atomic_load_explicit(&p->packets, memory_order_relaxed);
		ret->refused += atomic_load_explicit(&p->refused, memory_order_relaxed);
	}
}
