/*
 * ifcfg: CentOS 7's /etc/sysconfig/network-scripts/ifcfg-*, and the same for systemd-networkd.
 *
 *	DEVICE=ens3
 *	BOOTPROTO=none
 *	IPADDR=198.51.100.2
 *	PREFIX=24
 *	GATEWAY=198.51.100.1
 *	DNS1=198.51.100.53
 *
 * Read: DEVICE, HWADDR, ONBOOT, BOOTPROTO, MTU, IPADDR, PREFIX, NETMASK, GATEWAY (the last four also
 * with a number behind, for more addresses), DNS1 to DNS3, DOMAIN, IPV6INIT, IPV6ADDR,
 * IPV6ADDR_SECONDARIES, IPV6_AUTOCONF, IPV6_DEFAULTGW. Other keys mean nothing here, as there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { IFCFG_ADDRESSES = 10, IFCFG_ADDRESSES6 = 8, IFCFG_DNS = 3 };

/* An IPv4 address and how many of its bits name the network; an address that is empty is none. */
struct ifcfg_address {
	struct str address;
	uint32_t prefix;
};

/* Slices point into the text that was parsed. */
struct ifcfg {
	struct str device;
	struct str mac;
	bool is_on;
	bool is_dhcp;
	uint32_t mtu; /* 0: as it is */
	struct ifcfg_address address[IFCFG_ADDRESSES];
	struct str gateway;
	struct str dns[IFCFG_DNS];
	struct str domain;
	bool has_ipv6;
	bool is_auto6;
	struct str address6[IFCFG_ADDRESSES6]; /* each with its /prefix */
	struct str gateway6;
};

#define IFCFG_PREFIX STR("ifcfg-")

/* Is a file of that name an interface's? Copies that editors and rpm leave behind are not, nor is the loopback's. */
bool ifcfg_is_name(struct str name);
/* 0; -EINVAL: *err says which key has which value, and what it may have. */
int ifcfg_parse(struct ifcfg *ret, struct str text, struct err *err);
/* The .network file of systemd-networkd. */
void ifcfg_print(const struct ifcfg *c, struct buf *to);
