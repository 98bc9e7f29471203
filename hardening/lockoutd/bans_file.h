/*
 * bans_file: bans.jsonl in the state folder, so that bans outlive a restart with the time they have left.
 *
 * One JSON object a line, written behind the last: a ban, or that one has been lifted. A later line wins,
 * a torn one at the end is passed over. Once most lines are of the past, the file is written anew beside
 * itself and takes its own place in one step.
 */
#pragma once

#include <jansson.h>

#include "bans.h"
#include "base/err.h"

struct bans_file;

/* A line of the file. The caller frees it with json_decref; NULL if memory is short. */
json_t *bans_file_line(const struct terms *t, ms_t until_wall);
/*
 * And back, from anybody's bytes: 0 with the time it runs until (0: lifted), or -EINVAL. Times and
 * lengths out of range are none.
 */
int bans_file_parse(struct str line, struct terms *ret, ms_t *ret_until_wall);

/* Opens or makes it and puts what it holds into b. 0, or -EINVAL with *err. */
int bans_file_open(struct bans_file **ret, const char *dir, struct bans *b, ms_t now, ms_t now_wall,
		   struct err *err);
struct bans_file *bans_file_close(struct bans_file *f);
DEFINE_CLEANUP(struct bans_file *, bans_file_close);

/* 0 or negative errno; then the next bans_file_tend writes the whole file. */
int bans_file_add(struct bans_file *f, const struct ban *b, ms_t now, ms_t now_wall);
int bans_file_lift(struct bans_file *f, const struct cidr *net);
/* Writes the file anew if that is due. 0 or negative errno: it is tried again. */
int bans_file_tend(struct bans_file *f, ms_t now, ms_t now_wall);
/* Lines that could not be read at the start. */
size_t bans_file_bad(const struct bans_file *f);
