#include "ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* One value of one structure of the kernel's. */
struct item {
	const char *name;
	uint32_t get, set; /* set 0: it cannot be changed */
	size_t offset;
};

#define RING(name, set, field)                                                               \
	{                                                                                    \
		(name), ETHTOOL_GRINGPARAM, (set), offsetof(struct ethtool_ringparam, field) \
	}
#define COALESCE(name, field)                                    \
	{                                                        \
		(name), ETHTOOL_GCOALESCE, ETHTOOL_SCOALESCE,    \
			offsetof(struct ethtool_coalesce, field) \
	}

static const struct item items[] = {
	RING("rx-ring", ETHTOOL_SRINGPARAM, rx_pending),
	RING("rx-ring-max", 0, rx_max_pending),
	RING("tx-ring", ETHTOOL_SRINGPARAM, tx_pending),
	RING("tx-ring-max", 0, tx_max_pending),
	COALESCE("rx-usecs", rx_coalesce_usecs),
	COALESCE("adaptive-rx", use_adaptive_rx_coalesce),
};

struct asking {
	const struct item *item;
	struct ifreq request;
	union {
		uint32_t command;
		struct ethtool_ringparam ring;
		struct ethtool_coalesce coalesce;
	} data;
};

/* Any socket will do to name a card by. */
static int ask(struct asking *a, uint32_t command)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	a->data.command = command;
	a->request.ifr_data = (char *)&a->data;
	if (ioctl(fd, SIOCETHTOOL, &a->request) == 0)
		return 0;
	/* A driver without such a thing says so in several ways. */
	return errno == EOPNOTSUPP || errno == ENODEV || errno == ENOTTY ? -ENOENT : -errno;
}

/* Finds what the path names and asks the card for it. */
static int look(struct str path, struct asking *ret)
{
	struct str card;

	*ret = (struct asking){ 0 };
	path = str_skip(path, STR(ETHTOOL).n);
	if (!str_split(&path, '/', &card) ||
	    str_copy(ret->request.ifr_name, sizeof(ret->request.ifr_name), card) < 0)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		if (str_eq(path, str_of(items[i].name)))
			ret->item = &items[i];
	}
	return ret->item ? ask(ret, ret->item->get) : -ENOENT;
}

static uint32_t *value_of(struct asking *a)
{
	return (uint32_t *)(void *)((char *)&a->data + a->item->offset);
}

int ethtool_read(struct str path, char **ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct asking a;
	int r = look(path, &a);

	if (r < 0)
		return r;
	buf_printf(&text, "%u", *value_of(&a));
	*ret = buf_steal(&text);
	return *ret ? 0 : -ENOMEM;
}

int ethtool_write(struct str path, struct str value)
{
	struct asking a;
	uint32_t n;
	int r = look(path, &a);

	if (r < 0)
		return r;
	if (a.item->set == 0 || str_to_u32(value, UINT32_MAX, &n) < 0)
		return -EINVAL;
	*value_of(&a) = n;
	return ask(&a, a.item->set);
}
