/*
 * bootline: what the boot loader tells us on the kernel's command line.
 *
 *	tandem.slot=a tandem.verity=BLOCKS,HASHSTART,ROOTHASH,SALT [tandem.tries=AB] [tandem.reset]
 *	tandem.install[=DISK]
 *
 * BLOCKS is the number of 4096-byte blocks of the file system, HASHSTART the block where its hash
 * tree begins; root hash and salt are hex. tandem.tries: how often
 * each slot was started without health, as the boot loader has just written it to the one disk that it knows.
 * tandem.reset: the data partition is made anew. With tandem.install the root is
 * the one that the installer's initrd carries, and no slot is named. Every other word belongs to somebody else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { BOOTLINE_HASH_SIZE = 65 }; /* SHA-256 in hex and a NUL */

struct bootline {
	char slot; /* 'a' or 'b' */
	uint32_t blocks;
	uint32_t hash_start;
	char root_hash[BOOTLINE_HASH_SIZE];
	char salt[BOOTLINE_HASH_SIZE];
	bool has_tries;
	uint8_t tries[2]; /* of A and B, 0 to 3 */
	bool is_reset;
	bool is_install; /* the words of a slot are not looked for then */
};

/* 0; -EINVAL when a word of ours is malformed; -ENODATA when one is missing. */
int bootline_parse(struct bootline *ret, struct str line);
/* Of the running kernel. The same, or another negative errno. */
int bootline_read(struct bootline *ret);
