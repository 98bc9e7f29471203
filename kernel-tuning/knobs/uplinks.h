/*
 * uplinks: over how many network interfaces this machine reaches the world, as its configuration says. It is asked before the network is
 * up, so what the kernel has as routes would be too early.
 */
#pragma once

/*
 * folder: a descriptor of /etc/sysconfig/network-scripts, or negative. Counts the ifcfg files that are started at boot and name a gateway
 * or ask for one by DHCP.
 */
int uplinks_count(int folder);

/* What net.ipv4.conf.*.rp_filter has to be: strict, or loose when answers may leave by another way (behaviour.md; RFC 3704 §2.2, 2.4). */
static inline const char *uplinks_rp_filter(int uplinks)
{
	return uplinks > 1 ? "2" : "1";
}
