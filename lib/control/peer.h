/*
 * peer: who is at the other end of a UNIX socket, by what the kernel says (SO_PEERCRED).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	uid_t uid;
	bool is_admin;       /* uid 0, our own uid, or a member of group tandem-admin */
	bool may_name_actor; /* the user switch-api, who asks on behalf of others */
};

/* 0 or negative errno. */
int peer_of(struct peer *ret, int fd);
