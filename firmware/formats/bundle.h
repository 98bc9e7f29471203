/*
 * bundle: an update in one file: a signed list of what is in it, and then just that.
 *
 *	"TANDEM-UPDATE-1\n"     16 bytes
 *	length of the list      4 bytes, little-endian, at most BUNDLE_LIST_MAX
 *	signature               64 bytes: Ed25519 over the magic, the length and the list
 *	list                    JSON: product, machine, version, built, parts
 *	boot, root              one behind the other, each as long as the list says
 *
 * `boot` and `root` are what the slot's two partitions begin with (firmware/mk/bundle.py). `built` is
 * when, in seconds since 1970, and the order of versions. A part has name, size and sha256.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/signature.h"
#include "base/str.h"

enum {
	BUNDLE_LIST_MAX = 65536,
	BUNDLE_HEAD = 16 + 4 + SIGNATURE_BYTES,
	BUNDLE_VERSION = 64,
	BUNDLE_SHA256 = 32,
	BUNDLE_KEYS_MAX = 8
};

enum bundle_part_id { BUNDLE_BOOT, BUNDLE_ROOT, BUNDLE_PARTS };

struct bundle_part {
	uint64_t at; /* in the file */
	uint64_t size;
	unsigned char sha256[BUNDLE_SHA256];
};

struct bundle {
	char version[BUNDLE_VERSION];
	char machine[BUNDLE_VERSION]; /* as uname -m says */
	int64_t built;
	struct bundle_part part[BUNDLE_PARTS];
};

/* The public keys that may sign. */
struct bundle_keys {
	unsigned char key[BUNDLE_KEYS_MAX][SIGNATURE_KEY];
	int count;
};

extern const char *const bundle_part_names[BUNDLE_PARTS];

/* The list alone, whose parts begin behind `head` bytes. 0; -EINVAL with *err; -ENOMEM. */
int bundle_parse(struct bundle *ret, struct str list, uint64_t head, struct err *err);
/*
 * Reads the head of a file, checks its signature, and that the file is as long as its list says. 0;
 * -EINVAL with *err: what it is instead; other negative errno.
 */
int bundle_open(struct bundle *ret, int fd, const struct bundle_keys *keys, struct err *err);
/* Every *.pub of the folder. 0; -EINVAL with *err: none, too many, or one that is no key. */
int bundle_keys_read(struct bundle_keys *ret, const char *folder, struct err *err);
