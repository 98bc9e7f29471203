/*
 * licence: a signed file that says who may carry how many calls, on which machine, and until when.
 *
 * The file is one JSON object of these members and no other, at most LICENCE_FILE_MAX bytes:
 *
 *	customer   who it was made out to
 *	machine    the binding of one machine (licence_binding), or "any"
 *	lines      simultaneous calls, 1 and up
 *	cps        new calls a second; 0 = not limited
 *	features   an array of words
 *	issued     ISO 8601
 *	expires    ISO 8601, or null: never
 *	signature  Ed25519 over the canonical text, 128 hex digits
 *
 * The canonical text is the line "tandem-licence-1" and a line "name=value" for each member but the
 * signature, in the order above; every line ends with LF. Numbers are decimal without leading
 * zeros, times UTC with milliseconds as base/clock prints them ("never" for null), features joined
 * by commas. No value holds a control character, so no two licences have the same text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/signature.h"

enum {
	LICENCE_FILE_MAX = 8192,
	LICENCE_KEY = SIGNATURE_KEY,
	LICENCE_SIGNATURE = SIGNATURE_BYTES,
	LICENCE_LINES_MAX = 1000000,
	LICENCE_FEATURES_MAX = 16,
	/* After the end everything goes on for so many days, with an alarm; then lines are few. */
	LICENCE_GRACE_DAYS = 30,
	LICENCE_LAPSED_LINES = 10
};

#define LICENCE_ANY_MACHINE "any"

struct licence {
	char customer[129];
	char machine[65]; /* 64 hex digits, or "any" */
	uint32_t lines;
	uint32_t cps;
	char features[513]; /* words of a-z, 0-9 and '-', joined by commas */
	ms_t issued;
	ms_t expires; /* 0 = never */
	unsigned char signature[LICENCE_SIGNATURE];
};

enum licence_state {
	LICENCE_NONE,    /* unlicensed: no limit */
	LICENCE_VALID,   /* lines as licensed */
	LICENCE_EXPIRED, /* the same, with a warning */
	LICENCE_LAPSED   /* beyond the grace: few lines, no new configuration */
};

/* The public key this build checks with, and whether it is a throw-away of the build. */
extern const unsigned char licence_key[LICENCE_KEY];
extern const bool licence_key_is_development;

/* Reads a file's content; says nothing about its signature. 0; -EINVAL with *err; -ENOMEM. */
int licence_parse(struct licence *ret, struct str text, struct err *err);
/* Checks values that came from elsewhere than licence_parse. 0 or -EINVAL with *err. */
int licence_check(const struct licence *l, struct err *err);
void licence_put_canonical(const struct licence *l, struct buf *out);
/* The file, in lines for people. */
void licence_put_file(const struct licence *l, struct buf *out);
/* 0; -EINVAL with *err: not signed with this key, or not this content; -ENOMEM. */
int licence_verify(const struct licence *l, const unsigned char key[LICENCE_KEY], struct err *err);
/* 0; -EINVAL with *err: made for another machine, or this one's binding is not known (empty). */
int licence_check_machine(const struct licence *l, struct str machine, struct err *err);
/* By the wall clock; a licence that is not there (NULL) is LICENCE_NONE. */
enum licence_state licence_state_at(const struct licence *l, ms_t wall_ms);
const char *licence_state_name(enum licence_state s);
/* How many calls at once; 0 = no limit. */
uint32_t licence_lines_at(const struct licence *l, ms_t wall_ms);

/*
 * What binds a licence to a machine: SHA-256, in hex, of its product UUID, LF, and the address of
 * its first network interface, both in lower case. 0; -EINVAL if one of them is not what it should
 * be; -ENOMEM.
 */
enum { LICENCE_BINDING = 65 };
int licence_binding(char ret[LICENCE_BINDING], struct str uuid, struct str mac);
