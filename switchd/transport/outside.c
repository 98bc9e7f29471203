#include "transport/outside.h"

#include <errno.h>

/* Not set if we are not behind NAT in that family. */
static const struct addr *of_family(const struct outside *o, bool is_v6)
{
	return is_v6 ? &o->v6 : &o->v4;
}

int outside_add(struct outside *o, const struct addr *a)
{
	struct addr *mine = addr_is_v6(a) ? &o->v6 : &o->v4;

	if (addr_is_any(a) || addr_is_loopback(a) || addr_is_multicast(a) || addr_is_private(a))
		return -EINVAL;
	if (addr_is_set(mine))
		return -EEXIST;
	*mine = *a;
	addr_set_port(mine, 0);
	return 0;
}

void outside_show(const struct outside *o, const struct addr *peer, struct addr *ours)
{
	const struct addr *mine = o ? of_family(o, addr_is_v6(ours)) : NULL;
	uint16_t port = addr_port(ours);

	if (!mine || !addr_is_set(mine) || addr_is_private(peer) || addr_is_loopback(peer) ||
	    addr_eq_host(peer, ours))
		return;
	*ours = *mine;
	addr_set_port(ours, port);
}

bool outside_has(const struct outside *o, const struct addr *a)
{
	const struct addr *mine = o ? of_family(o, addr_is_v6(a)) : NULL;

	return mine && addr_is_set(mine) && addr_eq_host(mine, a);
}
