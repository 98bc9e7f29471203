#include "conf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "model/answers_file.h"

static int refuse(const char *path, const struct answers_report *report, struct err *err)
{
	CLEANUP(buf_done) struct buf faults = BUF_INIT;

	answers_report_print(report, &faults);
	return err_set(err, ERR_BAD_VALUE, "--conf", str_of(path), "a tandem.conf without a fault",
		       "it cannot be used: %.*s", STR_ARG(str_trim(buf_str(&faults))));
}

static int load(const char *path, struct answers *a, struct err *err)
{
	struct answers_report report = { 0 };
	int r = access(path, F_OK) < 0 && errno == ENOENT ? 0 : answers_load(a, path, &report);

	if (r == -EINVAL)
		return refuse(path, &report, err);
	if (r < 0 && r != -ENOMEM)
		return err_set(err, ERR_BAD_VALUE, "--conf", str_of(path),
			       "a file that can be read", "it cannot be read: %s", strerror(-r));
	return r;
}

/* Those of a list that are addresses; a time server may be a name. */
static void add_hosts(struct exempt *e, struct str list, const char *why)
{
	struct str one;
	struct addr a;

	while (str_split(&list, ',', &one)) {
		if (addr_parse(one, 0, &a) < 0)
			continue;

		struct cidr c = { .net = a, .bits = addr_is_v6(&a) ? 128 : 32 };
		(void)exempt_add(e, &c, str_of(why));
	}
}

/* Whom SSH is for, if not for all. */
static void read_ssh_hosts(const struct answers *a, struct openings *o)
{
	struct str list = answers_str(a, ANSWER_ADMIN_HOSTS), one;

	if (!str_eq(answers_str(a, ANSWER_SSH_FROM), STR("admin_hosts")))
		return;
	while (o->ssh_hosts < SSH_HOSTS_MAX && str_split(&list, ',', &one)) {
		if (addr_parse(one, 0, &o->ssh_host[o->ssh_hosts]) == 0)
			o->ssh_hosts++;
	}
}

static uint16_t port(const struct answers *a, enum answer id)
{
	return (uint16_t)answers_int(a, id);
}

int conf_read(const char *path, struct openings *ret, struct exempt *e, bool *ret_changed,
	      struct err *err)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct openings o = { 0 };
	int r = a ? load(path, a, err) : -ENOMEM;

	if (r < 0)
		return r;
	o.sip = port(a, ANSWER_SIP_PORT);
	o.sip_tls = port(a, ANSWER_SIP_TLS_PORT);
	o.api = port(a, ANSWER_API_PORT);
	o.ssh = port(a, ANSWER_SSH_PORT);
	answers_ports(a, ANSWER_MEDIA_PORTS, &o.media_first, &o.media_last);
	o.dhcp4 = str_eq(answers_str(a, ANSWER_IPV4), STR("dhcp"));
	o.dhcp6 = str_eq(answers_str(a, ANSWER_IPV6), STR("auto"));
	read_ssh_hosts(a, &o);
	exempt_begin(e, ORIGIN_ADMIN);
	add_hosts(e, answers_str(a, ANSWER_ADMIN_HOSTS), "administrator's host");
	add_hosts(e, answers_str(a, ANSWER_GATEWAY), "default router");
	add_hosts(e, answers_str(a, ANSWER_DNS), "name server");
	*ret_changed = exempt_end(e);
	*ret = o;
	return 0;
}
