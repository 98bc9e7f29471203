#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

#define NO_UUID "00000000-0000-0000-0000-000000000000"

/* The one line of DIR/NAME/FILE. */
static int read_line(const char *dir, const char *name, const char *file, struct buf *out)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s/%s", dir, name, file);
	buf_clear(out);
	const char *p = buf_cstr(&path);
	return p ? file_read(p, 4096, out, NULL) : -ENOMEM;
}

/* The index of an interface with a device behind it, 0 for others. */
static uint32_t index_of(const char *net, const char *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat st;
	uint32_t index;

	buf_printf(&path, "%s/%s/device", net, name);
	const char *p = buf_cstr(&path);
	if (name[0] == '.' || !p || stat(p, &st) < 0 || read_line(net, name, "ifindex", &text) < 0)
		return 0;
	return str_to_u32(str_trim(buf_str(&text)), UINT32_MAX, &index) == 0 ? index : 0;
}

static int first_interface(const char *net, struct buf *ret_mac)
{
	DIR *d = opendir(net);
	uint32_t least = UINT32_MAX;
	const struct dirent *e;
	int r = -ENODEV;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		uint32_t index = index_of(net, e->d_name);

		if (index == 0 || index >= least)
			continue;
		least = index;
		r = read_line(net, e->d_name, "address", ret_mac);
	}
	(void)closedir(d);
	return r;
}

int machine_binding(const char *sys, char ret[LICENCE_BINDING], struct err *err)
{
	CLEANUP(buf_done) struct buf net = BUF_INIT;
	CLEANUP(buf_done) struct buf uuid = BUF_INIT;
	CLEANUP(buf_done) struct buf mac = BUF_INIT;
	int r = read_line(sys, "class/dmi/id", "product_uuid", &uuid);

	if (r == -EACCES)
		return err_set(err, ERR_FORBIDDEN, "product_uuid", STR(""), "root",
			       "only root can read what the machine is called");
	if (r < 0) {
		buf_clear(&uuid);
		buf_putz(&uuid, NO_UUID);
	}

	buf_printf(&net, "%s/class/net", sys);
	const char *p = buf_cstr(&net);
	r = p ? first_interface(p, &mac) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_NOT_FOUND, "", STR(""), "a machine with a network card",
			       "no physical network interface: %s", strerror(-r));
	r = licence_binding(ret, buf_str(&uuid), buf_str(&mac));
	if (r == -EINVAL)
		return err_set(err, ERR_BAD_VALUE, "", str_trim(buf_str(&mac)),
			       "an Ethernet address and a UUID",
			       "the machine's UUID or address cannot be read");
	return r;
}
