/*
 * answers: what an installer answers (answers.tsv): the keys of tandem.conf, and a set of values.
 *
 * gen.py makes enum answer { ANSWER_HOSTNAME, ... ANSWER_COUNT }. The set-up's screens, its
 * unattended run, and every program that needs a port or an address of /etc/tandem/tandem.conf read
 * the same set: a value in it is always one that its type accepts.
 *
 * Files: model/answers_file.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#include "answers.gen.h"

enum answer_type {
	ANSWER_T_HOSTNAME,
	ANSWER_T_TIMEZONE,  /* Europe/Madrid; whether it exists is for who applies it */
	ANSWER_T_HOSTS,     /* names or addresses, comma separated, at most max */
	ANSWER_T_INTERFACE, /* or auto */
	ANSWER_T_IPV4,      /* 192.0.2.10/24, or dhcp */
	ANSWER_T_IPV6,      /* 2001:db8::10/64, auto or off */
	ANSWER_T_ADDRESS,
	ANSWER_T_ADDRESSES, /* comma separated, at most max */
	ANSWER_T_INT,
	ANSWER_T_PORTS,   /* first-last, both from min to max */
	ANSWER_T_SSH_KEY, /* "ssh-ed25519 AAAA... comment" without options */
	ANSWER_T_SCRYPT,  /* base/password.h */
	ANSWER_T_PATH,
	ANSWER_T_DEVICE, /* a path below /dev */
	ANSWER_T_ENUM,
	ANSWER_T_BOOL,
	ANSWER_T_COMMAND, /* words as base/word.h splits them */
	ANSWER_T_NUMBER,  /* a phone number: digits, * and # */
	ANSWER_T_TEXT,
};

enum answer_flag {
	ANSWER_REPEAT = 1, /* may have several values */
	ANSWER_SECRET = 2, /* never shown */
	ANSWER_ONCE = 4,   /* acted on by the set-up, not kept in the machine's tandem.conf */
};

struct answer_info {
	const char *name;
	enum answer_type type;
	const char *default_text; /* "" = unset */
	int64_t min, max;         /* of a number; max of a text's length, or of a list's items */
	const char *unit;
	const char *const *values; /* of an enum; of a bool { no, yes } */
	unsigned flags;
	const char *screen; /* of switch-setup; "" = none */
	const char *help;
};

extern const struct answer_info answer_infos[ANSWER_COUNT];

/* ANSWER_COUNT if there is none of that name. */
enum answer answer_find(struct str name);

struct answers;

/* Nothing answered: all at their defaults. NULL if memory is short. */
struct answers *answers_create(void);
struct answers *answers_copy(const struct answers *a);
struct answers *answers_free(struct answers *a);
DEFINE_CLEANUP(struct answers *, answers_free);

/*
 * Takes the place of the value, of all values of a repeatable one; an empty text resets it. line is
 * the line of a file, for later errors; 0 = none. -EINVAL with *err; -ENOMEM: the old value stays.
 */
int answers_set(struct answers *a, enum answer id, struct str text, uint32_t line, struct err *err);
/* One more value of a repeatable key. -EINVAL with *err, -ENOMEM. */
int answers_add(struct answers *a, enum answer id, struct str text, uint32_t line, struct err *err);
void answers_reset(struct answers *a, enum answer id);

/* Was it answered? Then a value stands there, be it the default's. */
bool answers_is_set(const struct answers *a, enum answer id);
/* The value in its one form, or the default. "" if there is neither. Of a repeatable: the first. */
struct str answers_str(const struct answers *a, enum answer id);
/* Values of a repeatable key, in order, and the line each was read from (0 = none). */
size_t answers_count(const struct answers *a, enum answer id);
struct str answers_item(const struct answers *a, enum answer id, size_t i);
uint32_t answers_line(const struct answers *a, enum answer id, size_t i);
/* Of INT, and of ENUM and BOOL (the index of the value; -1 = unset); else a mistake (assert). */
int64_t answers_int(const struct answers *a, enum answer id);
bool answers_bool(const struct answers *a, enum answer id);
/* The two ends of a PORTS value. */
void answers_ports(const struct answers *a, enum answer id, uint16_t *ret_first,
		   uint16_t *ret_last);
