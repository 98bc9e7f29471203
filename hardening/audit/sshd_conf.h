/*
 * sshd_conf: what an sshd would do, from its configuration files as sshd_config(5) says they are read:
 * the first value of a keyword counts, included files stand where they are included, and what is
 * behind Match is for some only.
 */
#pragma once

#include "tree.h"

struct sshd_conf {
	struct buf
		text; /* lines "keyword value", keywords in lower case, in the order they count */
};

enum { SSHD_DEPTH_MAX = 8 };

/* 0 or negative errno. The caller releases it in any case. */
int sshd_conf_read(struct sshd_conf *ret, const struct tree *t, const char *path);
void sshd_conf_done(struct sshd_conf *c);
static inline void sshd_conf_done_cleanup(struct sshd_conf *c)
{
	sshd_conf_done(c);
}
/* The value that counts; false if there is none. */
bool sshd_conf_get(const struct sshd_conf *c, struct str keyword, struct str *ret);
