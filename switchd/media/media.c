#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/inner.h"

/* Orders are some 200 bytes: room for 20,000 in one loop turn. */
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

static int make_desks(struct media *m, const struct media_config *c)
{
	m->desk = calloc((size_t)c->workers, sizeof(*m->desk));
	if (!m->desk)
		return -ENOMEM;
	m->desks = c->workers;
	m->threads = c->threads;
	for (int i = 0; i < c->workers; i++) {
		m->desk[i].media = m;
		m->desk[i].orders = calloc((size_t)c->threads, sizeof(struct ring *));
		if (!m->desk[i].orders)
			return -ENOMEM;
		for (int t = 0; t < c->threads; t++) {
			int r = ring_create(&m->desk[i].orders[t], ORDER_BYTES);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int make_pumps(struct media *m, const struct media_config *c)
{
	m->pump = calloc((size_t)c->threads, sizeof(struct pump *));
	CLEANUP(free) struct ring **orders = calloc((size_t)c->workers, sizeof(struct ring *));
	if (!m->pump || !orders)
		return -ENOMEM;
	for (int t = 0; t < c->threads; t++) {
		for (int i = 0; i < c->workers; i++)
			orders[i] = m->desk[i].orders[t];

		int r = pump_create(&m->pump[t], m, orders, c->workers);
		if (r == 0)
			r = pump_start(m->pump[t]);
		if (r < 0)
			return r;
		m->pumps++;
	}
	return 0;
}

int media_create(struct media **ret, const struct media_config *c, struct err *err)
{
	CLEANUP(media_free) struct media *m = calloc(1, sizeof(*m));
	int r = m ? copy_hosts(m, c) : -ENOMEM;

	if (r == 0)
		r = make_desks(m, c);
	if (r == 0)
		r = make_pumps(m, c);
	if (r < 0) {
		(void)err_set(err, ERR_INTERNAL, "--media", STR(""), "",
			      "the media threads cannot start");
		return r;
	}
	media_set_ports(m, 10000, 20000);
	*ret = TAKE(m);
	return 0;
}

struct media *media_free(struct media *m)
{
	if (!m)
		return NULL;
	for (int t = 0; m->pump && t < m->pumps; t++)
		pump_free(m->pump[t]);
	for (int i = 0; i < m->desks; i++) {
		struct ring **orders = m->desk[i].orders;

		for (int t = 0; orders && t < m->threads; t++)
			ring_free(orders[t]);
		free(orders);
	}
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
	for (int t = 0; t < m->pumps; t++)
		pump_totals(m->pump[t], ret);
}
