/*
 * batch: one transaction with the packet filter: all of its messages take effect together, or none.
 */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"

struct mnl_socket;
struct nlmsghdr;

struct batch {
	struct buf out;
	uint32_t seq;  /* of the last message */
	size_t last;   /* where that stands in `out` */
	bool is_short; /* of memory */
	void *scratch; /* the message under way */
};

/* Room for one message; who writes a list puts at most so many elements into one. */
enum { BATCH_MESSAGE = 65536, BATCH_ELEMENTS = 512 };

/* batch_done must follow. seq goes on where the transaction before it ended. */
void batch_begin(struct batch *b, uint32_t seq);
void batch_done(struct batch *b);
/* Begins a message (NFT_MSG_...) of the inet family; NULL when memory is short. batch_put ends it. */
struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags);
void batch_put(struct batch *b, const struct nlmsghdr *h);
/* 0, or what the kernel said to the first message that it refused: negative errno. */
int batch_commit(struct batch *b, struct mnl_socket *nl);

static inline void batch_done_cleanup(struct batch *b)
{
	batch_done(b);
}
