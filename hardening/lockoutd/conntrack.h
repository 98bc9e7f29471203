/*
 * conntrack: the connections that the kernel keeps track of. A banned address gets no packet in, whatever
 * is up; its connections are taken out of the table so that nothing of ours goes on answering them.
 */
#pragma once

#include "base/addr.h"

enum {
	CONNTRACK_LOOK_MAX = 262144
}; /* entries that are looked at: a full table must not stop the daemon */

/* Takes out every connection from or to this network. How many; or negative errno. */
int conntrack_forget(const struct cidr *net);
