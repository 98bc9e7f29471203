#include "sshd.h"

#include <errno.h>

/*
 * One line for each try: sshd says "Invalid user" before every further line about one, so those are not
 * counted again.
 */
static const struct {
	struct str begins, but_not;
} failures[] = {
	{ STR_INIT("Failed password for "), STR_INIT("Failed password for invalid user ") },
	{ STR_INIT("Failed keyboard-interactive/pam for "),
	  STR_INIT("Failed keyboard-interactive/pam for invalid user ") },
	{ STR_INIT("Invalid user "), STR_INIT("") },
	{ STR_INIT("Connection closed by authenticating user "), STR_INIT("") },
	{ STR_INIT("Connection reset by authenticating user "), STR_INIT("") },
	{ STR_INIT("error: maximum authentication attempts exceeded for "), STR_INIT("") },
};

static bool is_failure(struct str line)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (str_has_prefix(line, failures[i].begins))
			return failures[i].but_not.n == 0 ||
			       !str_has_prefix(line, failures[i].but_not);
	}
	return false;
}

/* The last word, taken off the end. */
static struct str last_word(struct str *rest)
{
	struct str s = str_trim(*rest);
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != ' ')
		at--;
	*rest = str_head(s, at);
	return str_skip(s, at);
}

/* "... ADDRESS port NUMBER", with "ssh2" and "[preauth]" behind it or not. */
static int read_source(struct str rest, struct addr *ret)
{
	struct str word = last_word(&rest);
	uint32_t port;

	if (str_eq(word, STR("[preauth]")))
		word = last_word(&rest);
	if (str_eq(word, STR("ssh2")))
		word = last_word(&rest);
	if (str_to_u32(word, UINT16_MAX, &port) < 0 || !str_eq(last_word(&rest), STR("port")))
		return -ENOENT;
	return addr_parse(last_word(&rest), 0, ret) < 0 || addr_port(ret) != 0 ? -ENOENT : 0;
}

int sshd_read(struct str line, struct event *ret)
{
	struct event e = {
		.kind = EVENT_SSH_FAILED, .proof = PROOF_TCP, .count = 1, .proto = "ssh"
	};

	if (!is_failure(line) || read_source(line, &e.src) < 0)
		return -ENOENT;
	*ret = e;
	return 0;
}
