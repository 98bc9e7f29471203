#include "apply.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "certificate.h"
#include "control/client.h"
#include "files.h"
#include "program.h"

enum { SYSTEMCTL_MS = 90000, ADDRESS_MS = 90000, SWITCH_MS = 60000, LOOK_MS = 200 };

static const struct {
	unsigned after;
	bool is_needed; /* if it fails, the set-up has failed */
	const char *verb;
	const char *unit; /* NULL = none */
} services[] = {
	{ AFTER_NETWORK, true, "daemon-reload", NULL },
	{ AFTER_NETWORK, true, "restart", "systemd-networkd.service" },
	{ AFTER_SSH, false, "restart", "sshd.service" },
	{ AFTER_CONF, false, "restart", "switch-tune.service" }, /* reserves the media ports */
	{ AFTER_CONF, true, "reload-or-restart", "switch-lockoutd.service" },
	{ AFTER_SWITCH, true, "restart", "switchd.service" },
};

static int systemctl(const struct setup *s, size_t i, struct err *err)
{
	const char *argv[] = { "/usr/bin/systemctl", services[i].verb, services[i].unit, NULL };
	const char *unit = services[i].unit ? services[i].unit : "";
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	int r = program_run(argv, SYSTEMCTL_MS, &said);
	if (r == 0) {
		tell_say(&s->tell, TELL_CHANGE, "systemctl %s %s", services[i].verb, unit);
		return 0;
	}
	if (!services[i].is_needed) {
		tell_say(&s->tell, TELL_NOTE, "systemctl %s %s failed: %.*s", services[i].verb,
			 unit, STR_ARG(str_trim(buf_str(&said))));
		return 0;
	}
	return err_set(err, ERR_STORE, "", r < 0 ? str_of(strerror(-r)) : str_trim(buf_str(&said)),
		       "journalctl says more", "systemctl %s %s failed", services[i].verb, unit);
}

static int restart(const struct setup *s, unsigned after, struct err *err)
{
	struct str name = answers_str(s->answers, ANSWER_HOSTNAME);
	int r = 0;

	if (!place_is_machine(&s->place))
		return 0;
	if ((after & AFTER_HOSTNAME) && sethostname(name.p, name.n) < 0)
		return SETUP_FAIL(err, -errno, "cannot set the host name");
	for (size_t i = 0; r == 0 && i < sizeof(services) / sizeof(services[0]); i++) {
		if (services[i].after & after)
			r = systemctl(s, i, err);
	}
	return r;
}

static void nap(void)
{
	(void)poll(NULL, 0, LOOK_MS);
}

/* Until the interface has the address that switchd is to bind. */
static int wait_for_address(const struct setup *s, struct err *err)
{
	ms_t until = clock_mono_ms() + ADDRESS_MS;
	char text[ADDR_TEXT];
	struct addr a;

	while (machine_address(&s->machine, s->answers, false, &a) < 0 ||
	       !machine_has_address(&a)) {
		if (clock_mono_ms() > until)
			return err_set(err, ERR_NOT_FOUND, "ipv4",
				       answers_str(s->answers, ANSWER_IPV4),
				       "a cable, a DHCP server, or a fixed address",
				       "%s got no address within 90 s", s->machine.interface);
		nap();
	}
	tell_say(&s->tell, TELL_NOTE, "the machine's address is %s", addr_host_text(&a, text));
	return 0;
}

static int ask_status(const struct setup *s)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err err = ERR_INIT;
	json_t *result = NULL;

	int r = client_open(&c, s->control);
	if (r == 0)
		r = client_set_timeout(c, 5000);
	if (r == 0)
		r = client_call(c, "status.show", NULL, &result, &err);
	json_decref(result);
	return r;
}

static int wait_for_switch(const struct setup *s, struct err *err)
{
	ms_t until = clock_mono_ms() + SWITCH_MS;
	int r;

	tell_say(&s->tell, TELL_STEP, "waiting for the switch");
	while ((r = ask_status(s)) < 0) {
		if (clock_mono_ms() > until)
			return err_set(err, ERR_STORE, "", str_of(s->control),
				       "journalctl -u switchd says why",
				       "the switch does not answer: %s", strerror(-r));
		nap();
	}
	return 0;
}

int apply_machine(struct setup *s, struct err *err)
{
	unsigned after = 0;

	tell_say(&s->tell, TELL_STEP, "writing the machine's configuration");
	machine_look(&s->machine, s->answers);
	int r = files_write(s, FILES_MACHINE, &after, err);
	if (r == 0)
		r = restart(s, after, err);
	if (r == 0 && place_is_machine(&s->place))
		r = wait_for_address(s, err);
	after = 0;
	if (r == 0)
		r = certificate_make(s, err);
	if (r == 0)
		r = files_write(s, FILES_SWITCH, &after, err);
	/* A switch that died, or was never started, is not one whose files changed. */
	if (r == 0 && ask_status(s) < 0)
		after |= AFTER_SWITCH;
	if (r == 0)
		r = restart(s, after, err);
	return r < 0 ? r : wait_for_switch(s, err);
}

int apply_refresh(struct setup *s, struct err *err)
{
	unsigned after = 0;
	int r = 0;

	machine_look(&s->machine, s->answers);
	if (place_is_machine(&s->place))
		r = wait_for_address(s, err);
	if (r == 0)
		r = certificate_make(s, err);
	return r < 0 ? r : files_write(s, FILES_SWITCH, &after, err);
}
