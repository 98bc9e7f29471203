/*
 * password: made into something that can be kept, and checked against it: scrypt (RFC 7914).
 *
 * The text is $scrypt$ln=15,r=8,p=1$SALT$HASH, salt and hash in base64 without padding: the form
 * that other tools write, too. The costs that are accepted are bounded, so that a hash from outside
 * can neither be a weak one nor take the machine's memory.
 */
#pragma once

#include "base/str.h"

enum { PASSWORD_HASH_TEXT = 128, PASSWORD_MIN = 10, PASSWORD_MAX = 128 };

/* A fresh salt. 0 or -ENOMEM. */
int password_hash(struct str password, char out[PASSWORD_HASH_TEXT]);
/* Is it a hash that password_check takes? */
bool password_hash_is_valid(struct str hash);
/* 1: it is the password; 0: it is not; -EINVAL: no valid hash; -ENOMEM. */
int password_check(struct str password, struct str hash);
/*
 * NULL if it is good enough to be an administrator's; else what is wrong with it: too short, few
 * kinds of characters, one repeated, the name of the user.
 */
const char *password_weakness(struct str password, struct str user);
