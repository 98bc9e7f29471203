/*
 * What switch-lockoutd reads from others, by the first byte: an event of the security socket, a line of sshd's, a
 * line of its own file of bans, a resolv.conf. It is one or it is refused; what is taken can be written again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lockoutd/bans_file.h"
#include "lockoutd/event.h"
#include "lockoutd/host.h"
#include "lockoutd/sshd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(struct str s)
{
	struct event e;

	if (event_parse(s, &e) < 0)
		return;
	assert(e.kind < EVENT_SSH_FAILED && e.proof < PROOF_COUNT);
	assert(e.count >= 1 && e.count <= EVENT_COUNT_MAX);
	assert(addr_is_set(&e.src) || e.kind == EVENT_CONFIG_CHANGED);
	assert(!str_has_control(str_of(e.account)) && !str_has_control(str_of(e.detail)));
}

static void check_sshd(struct str s)
{
	struct event e;

	if (sshd_read(s, &e) == 0)
		assert(addr_is_set(&e.src) && e.proof == PROOF_TCP);
}

static void check_ban(struct str s)
{
	struct terms t, again;
	ms_t until, until_again;
	json_t *line;
	char *text;

	if (bans_file_parse(s, &t, &until) < 0 || until == 0)
		return;
	line = bans_file_line(&t, until);
	assert(line);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	assert(text && bans_file_parse(str_of(text), &again, &until_again) == 0);
	assert(until == until_again && t.seconds == again.seconds && t.cause == again.cause);
	free(text);
}

static void check_resolvers(struct str s)
{
	CLEANUP(exempt_free) struct exempt *e = NULL;

	if (exempt_create(&e) < 0)
		return;
	exempt_begin(e, ORIGIN_MACHINE);
	host_take_resolvers(e, s);
	(void)exempt_end(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct str) = { check_event, check_sshd, check_ban,
						      check_resolvers };

	if (size > 0)
		checks[data[0] % 4](str_n(data + 1, size - 1));
	return 0;
}
