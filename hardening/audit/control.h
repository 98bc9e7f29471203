/*
 * control: what is checked (lib/model/controls.tsv), each with the reason and the way to mend it.
 *
 * The arguments are words of the check's kind: check.h.
 */
#pragma once

#include <stddef.h>

/* X(name): check_name() in check.h */
#define CHECK_KINDS(X) \
	X(absent)      \
	X(account)     \
	X(cmdline)     \
	X(daemon)      \
	X(elf)         \
	X(file)        \
	X(ini)         \
	X(lines)       \
	X(module)      \
	X(mount)       \
	X(sockets)     \
	X(sshd)        \
	X(sysctl)      \
	X(text)        \
	X(unit)        \
	X(verity)      \
	X(walk)        \
	X(wall)

enum check_kind {
#define CHECK_ENUM(name) CHECK_##name,
	CHECK_KINDS(CHECK_ENUM)
#undef CHECK_ENUM
		CHECK_COUNT
};

struct control {
	const char *id;
	enum check_kind kind;
	const char *argument;
	const char *title;
	const char *why;
	const char *fix;
	const char *
		source; /* numbers of CIS (CentOS 7) and STIG (RHEL 7), or the page that asks for it */
};

extern const struct control controls[];
extern const size_t controls_count;

const char *check_kind_name(enum check_kind kind);
