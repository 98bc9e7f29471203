/*
 * guessed: at which names very many guess, from all sources together (security.md A5).
 *
 * Wrong passwords of the last hour are counted by a hash of the name, whether somebody is called that or not: what follows from
 * them must not tell which names there are (A4). Names that share a place are counted as one; what follows is mild enough.
 */
#pragma once

#include "base/cleanup.h"
#include "base/str.h"

struct guessed;

enum { GUESSED_HOUR = 100, GUESSED_PLACES = 256 };

/* 0 or -ENOMEM. */
int guessed_create(struct guessed **ret);
struct guessed *guessed_free(struct guessed *g);
DEFINE_CLEANUP(struct guessed *, guessed_free);

/* ---- any thread ---- */
void guessed_wrong(struct guessed *g, struct str name);
/* GUESSED_HOUR within the last hour, as of the last look. */
bool guessed_is_many(const struct guessed *g, struct str name);

/* ---- main thread, once a second: now_s of a clock that does not go back ---- */
void guessed_look(struct guessed *g, int64_t now_s);
