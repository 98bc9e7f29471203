#include "machine.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"

static const struct place system_place = { "" };

/* First line of /sys/class/net/NAME/WHAT. */
static void read_attribute(const char *name, const char *what, struct buf *out)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str line, rest;

	buf_printf(&path, "/sys/class/net/%s/%s", name, what);
	if (!buf_cstr(&path) || place_read(&system_place, path.p, 4096, &text) < 0)
		return;
	rest = buf_str(&text);
	if (str_line(&rest, &line))
		buf_put(out, line);
}

static bool is_loopback(const char *name)
{
	CLEANUP(buf_done) struct buf type = BUF_INIT;

	read_attribute(name, "type", &type); /* ARPHRD_LOOPBACK */
	return str_eq(buf_str(&type), STR("772"));
}

static void find_first(struct machine *m)
{
	struct if_nameindex *all = if_nameindex();
	unsigned lowest = 0;

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		if (is_loopback(i->if_name) || (lowest && i->if_index > lowest))
			continue;
		lowest = i->if_index;
		(void)str_copy(m->interface, sizeof(m->interface), str_of(i->if_name));
	}
	if (all)
		if_freenameindex(all);
}

void machine_look(struct machine *m, const struct answers *a)
{
	CLEANUP(buf_done) struct buf mac = BUF_INIT;
	struct str wanted = answers_str(a, ANSWER_INTERFACE);
	struct sysinfo info;

	*m = (struct machine){ 0 };
	if (str_eq(wanted, STR("auto")))
		find_first(m);
	else
		(void)str_copy(m->interface, sizeof(m->interface), wanted);
	if (m->interface[0])
		read_attribute(m->interface, "address", &mac);
	(void)str_copy(m->mac, sizeof(m->mac), buf_str(&mac));
	m->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (sysinfo(&info) == 0)
		m->memory_mb = (uint64_t)info.totalram * info.mem_unit >> 20;
}

void machine_interfaces(struct buf *out)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		if (is_loopback(i->if_name))
			continue;
		buf_printf(out, "%s ", i->if_name);
		read_attribute(i->if_name, "address", out);
		buf_putc(out, ' ');
		read_attribute(i->if_name, "operstate", out);
		buf_putc(out, '\n');
	}
	if (all)
		if_freenameindex(all);
}

/* --- addresses --- */

static bool is_usable(const struct ifaddrs *i, const char *name, bool is_v6, struct addr *ret)
{
	if (!i->ifa_addr || i->ifa_addr->sa_family != (is_v6 ? AF_INET6 : AF_INET))
		return false;
	if (name && strcmp(i->ifa_name, name) != 0)
		return false;
	return addr_from_sa(i->ifa_addr,
			    is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
			    ret) == 0;
}

static int current(const char *name, bool is_v6, struct addr *ret)
{
	struct ifaddrs *all = NULL;
	int r = -EAGAIN;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (struct ifaddrs *i = all; i && r < 0; i = i->ifa_next) {
		struct addr a;

		if (!is_usable(i, name, is_v6, &a))
			continue;
		if (is_v6 && IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr))
			continue;
		*ret = a;
		r = 0;
	}
	freeifaddrs(all);
	return r;
}

bool machine_has_address(const struct addr *a)
{
	struct ifaddrs *all = NULL;
	bool has = false;

	if (addr_is_loopback(a))
		return true;
	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i && !has; i = i->ifa_next) {
		struct addr each;

		has = is_usable(i, NULL, addr_is_v6(a), &each) && addr_eq_host(&each, a);
	}
	freeifaddrs(all);
	return has;
}

int machine_address(const struct machine *m, const struct answers *a, bool is_v6, struct addr *ret)
{
	struct str text = answers_str(a, is_v6 ? ANSWER_IPV6 : ANSWER_IPV4), host;

	if (str_eq(text, STR("off")))
		return -ENOENT;
	if (str_chr(text, '/') < 0)
		return current(m->interface, is_v6, ret);
	if (!str_split(&text, '/', &host))
		return -EINVAL;
	return addr_parse(host, 0, ret);
}

void machine_binding(const struct place *p, struct buf *out)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (place_read(p, "/run/tandem/machine-id", 256, &text) == 0)
		buf_put(out, str_trim(buf_str(&text)));
}
