/*
 * A licence file. What is accepted holds what licence_check asks for, is written so that it reads
 * back the same, and is not taken for signed.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/licence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not the build's key: somebody may have signed an input with that one. This is of RFC 8032 §7.1, test 1. */
static const unsigned char nobody[LICENCE_KEY] = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7,
						   0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
						   0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
						   0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a };

static void same_again(const struct licence *l)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	CLEANUP(buf_done) struct buf a = BUF_INIT;
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	struct licence back;

	licence_put_file(l, &file);
	assert(licence_parse(&back, buf_str(&file), NULL) == 0);
	licence_put_canonical(l, &a);
	licence_put_canonical(&back, &b);
	assert(str_eq(buf_str(&a), buf_str(&b)));
	assert(memcmp(l->signature, back.signature, sizeof(l->signature)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct licence l;
	struct err err = ERR_INIT;

	if (licence_parse(&l, str_n(data, size), &err) < 0) {
		assert(err_is_set(&err));
		return 0;
	}
	assert(licence_check(&l, NULL) == 0);
	assert(licence_verify(&l, nobody, NULL) < 0);
	assert(licence_lines_at(&l, 0) == l.lines);
	same_again(&l);
	return 0;
}
