#include "files.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/answers_file.h"

/* What is behind it is shell syntax for the one who reads it: answers hold no quotes or blanks. */
static void put_line(struct buf *out, const char *name, struct str value)
{
	if (!str_is_empty(value))
		buf_printf(out, "%s=%.*s\n", name, STR_ARG(value));
}

static struct str text_of(const struct setup *s, enum answer id)
{
	return answers_str(s->answers, id);
}

static int put_hostname(const struct setup *s, struct buf *out)
{
	struct str name = text_of(s, ANSWER_HOSTNAME);

	buf_printf(out, "%.*s\n", STR_ARG(name));
	return 0;
}

/* --- network: as CentOS 7 writes it --- */

static struct str router(const struct setup *s, bool is_v6)
{
	struct str each, rest = text_of(s, ANSWER_GATEWAY);

	while (str_split(&rest, ',', &each)) {
		if ((str_chr(each, ':') >= 0) == is_v6)
			return each;
	}
	return STR("");
}

static void put_ipv4(const struct setup *s, struct buf *out)
{
	struct str own = text_of(s, ANSWER_IPV4), host;

	if (str_chr(own, '/') < 0) {
		put_line(out, "BOOTPROTO", own);
		return;
	}
	(void)str_split(&own, '/', &host);
	put_line(out, "BOOTPROTO", STR("none"));
	put_line(out, "IPADDR", host);
	put_line(out, "PREFIX", own);
	put_line(out, "GATEWAY", router(s, false));
}

static void put_ipv6(const struct setup *s, struct buf *out)
{
	struct str own = text_of(s, ANSWER_IPV6);
	bool is_fixed = str_chr(own, '/') >= 0;

	if (str_eq(own, STR("off"))) {
		put_line(out, "IPV6INIT", STR("no"));
		return;
	}
	put_line(out, "IPV6INIT", STR("yes"));
	put_line(out, "IPV6_AUTOCONF", is_fixed ? STR("no") : STR("yes"));
	if (is_fixed) {
		put_line(out, "IPV6ADDR", own);
		put_line(out, "IPV6_DEFAULTGW", router(s, true));
	}
}

static int put_ifcfg(const struct setup *s, struct buf *out)
{
	struct str server, rest = text_of(s, ANSWER_DNS);

	put_line(out, "DEVICE", str_of(s->machine.interface));
	put_line(out, "TYPE", STR("Ethernet"));
	put_line(out, "ONBOOT", STR("yes"));
	put_ipv4(s, out);
	put_ipv6(s, out);
	for (int i = 1; str_split(&rest, ',', &server); i++)
		buf_printf(out, "DNS%d=%.*s\n", i, STR_ARG(server));
	return 0;
}

/* --- who may log in --- */

static int put_ssh_keys(const struct setup *s, struct buf *out)
{
	if (!answers_is_set(s->answers, ANSWER_SSH_KEY))
		return -ENODATA;
	for (size_t i = 0; i < answers_count(s->answers, ANSWER_SSH_KEY); i++) {
		struct str key = answers_item(s->answers, ANSWER_SSH_KEY, i);

		buf_printf(out, "%.*s\n", STR_ARG(key));
	}
	return 0;
}

static int put_sshd(const struct setup *s, struct buf *out)
{
	struct str port = text_of(s, ANSWER_SSH_PORT);

	buf_printf(out,
		   "# Written by switch-setup from /etc/tandem/tandem.conf.\n"
		   "Port %.*s\n"
		   "AuthorizedKeysFile /etc/ssh/authorized_keys/%%u\n",
		   STR_ARG(port));
	return 0;
}

static int put_hash(const struct setup *s, struct buf *out)
{
	struct str hash = text_of(s, ANSWER_ADMIN_PASSWORD_HASH);

	if (str_is_empty(hash))
		return -ENODATA;
	buf_printf(out, "%.*s\n", STR_ARG(hash));
	return 0;
}

/* --- ours --- */

static int put_conf(const struct setup *s, struct buf *out)
{
	buf_putz(out,
		 "# The configuration of this machine, written by switch-setup: tandem.conf(5).\n"
		 "# Keys that are not here are at their defaults.\n");
	answers_print(s->answers, true, out);
	return 0;
}

static int put_switch_address(const struct setup *s, bool is_v6, struct buf *out)
{
	char text[ADDR_TEXT];
	struct addr a;

	int r = machine_address(&s->machine, s->answers, is_v6, &a);
	if (r < 0)
		return r;
	addr_set_port(&a, (uint16_t)answers_int(s->answers, ANSWER_SIP_PORT));
	(void)addr_text(&a, text);
	buf_printf(out, "--listen udp:%s --listen tcp:%s ", text, text);
	if (answers_int(s->answers, ANSWER_SIP_TLS_PORT) > 0) {
		addr_set_port(&a, (uint16_t)answers_int(s->answers, ANSWER_SIP_TLS_PORT));
		buf_printf(out, "--listen tls:%s ", addr_text(&a, text));
	}
	buf_printf(out, "--media %s ", addr_host_text(&a, text));
	return 0;
}

static int put_env(const struct setup *s, struct buf *out)
{
	struct str ports = text_of(s, ANSWER_MEDIA_PORTS);

	buf_putz(out, "# Written by switch-setup from /etc/tandem/tandem.conf.\nSWITCHD_ARGS=");
	int r = put_switch_address(s, false, out);
	if (r < 0)
		return r;
	/* A network without IPv6 routers is no reason to have no switch. */
	r = put_switch_address(s, true, out);
	if (r < 0 && r != -ENOENT && r != -EAGAIN)
		return r;
	if (answers_is_set(s->answers, ANSWER_PUBLIC_ADDRESS)) {
		struct str seen = text_of(s, ANSWER_PUBLIC_ADDRESS);

		buf_printf(out, "--public %.*s ", STR_ARG(seen));
	}
	buf_printf(out, "--media-ports %.*s\n", STR_ARG(ports));
	return 0;
}

/* --- the table --- */

static const struct {
	const char *path;
	mode_t mode;
	enum files_stage stage;
	unsigned after;
	/* 0: the content, an empty one for no file; -ENODATA: the file stays as it is. */
	int (*put)(const struct setup *s, struct buf *out);
} files[] = {
	{ "/etc/hostname", 0644, FILES_MACHINE, AFTER_HOSTNAME, put_hostname },
	{ "/etc/sysconfig/network-scripts/ifcfg-", 0644, FILES_MACHINE, AFTER_NETWORK, put_ifcfg },
	{ "/etc/ssh/authorized_keys/admin", 0644, FILES_MACHINE, 0, put_ssh_keys },
	{ "/etc/ssh/sshd_config.d/00-tandem-setup.conf", 0644, FILES_MACHINE, AFTER_SSH, put_sshd },
	{ "/etc/tandem/admin.hash", 0600, FILES_MACHINE, 0, put_hash },
	{ "/etc/tandem/tandem.conf", 0644, FILES_MACHINE, AFTER_CONF, put_conf },
	{ "/etc/tandem/switchd.env", 0644, FILES_SWITCH, AFTER_SWITCH, put_env },
};

static int write_one(const struct setup *s, size_t i, struct err *err)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_putz(&path, files[i].path);
	if (files[i].put == put_ifcfg)
		buf_putz(&path, s->machine.interface);
	int r = files[i].put(s, &content);
	if (r == -ENODATA)
		return 0;
	if (r == 0 && (buf_error(&content) < 0 || !buf_cstr(&path)))
		r = -ENOMEM;
	if (r == 0)
		r = content.n ? place_write(&s->place, path.p, files[i].mode, buf_str(&content))
			      : place_remove(&s->place, path.p);
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot write %s%s", s->place.root, files[i].path);
	if (r > 0)
		tell_say(&s->tell, TELL_CHANGE, "%s %s", content.n ? "wrote" : "removed", path.p);
	return r;
}

/* The zone's file must be there, in the root that is set up or (in a test) on this machine. */
static int link_timezone(const struct setup *s, struct err *err)
{
	const struct place here = { "" };
	struct str zone = text_of(s, ANSWER_TIMEZONE);
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "../usr/share/zoneinfo/%.*s", STR_ARG(zone));
	if (!buf_cstr(&path))
		return -ENOMEM;
	if (!place_has(&s->place, path.p + 2) && !place_has(&here, path.p + 2))
		return err_set(err, ERR_BAD_VALUE, "timezone", zone,
			       "a zone of /usr/share/zoneinfo, such as UTC or America/Bogota",
			       "this machine does not know this time zone");
	int r = place_link(&s->place, "/etc/localtime", path.p);
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot write %s/etc/localtime", s->place.root);
	if (r > 0)
		tell_say(&s->tell, TELL_CHANGE, "wrote /etc/localtime");
	return 0;
}

int files_write(const struct setup *s, enum files_stage stage, unsigned *after, struct err *err)
{
	int r = 0;

	if (stage == FILES_MACHINE && !s->machine.interface[0])
		return err_set(err, ERR_NOT_FOUND, "interface", text_of(s, ANSWER_INTERFACE),
			       "a network card that Linux knows",
			       "this machine has no network interface");
	if (stage == FILES_MACHINE)
		r = link_timezone(s, err);
	for (size_t i = 0; r >= 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].stage != stage)
			continue;
		r = write_one(s, i, err);
		if (r > 0)
			*after |= files[i].after;
	}
	return r < 0 ? r : 0;
}
