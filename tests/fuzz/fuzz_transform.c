/*
 * The first line is rules as an operator or an import gives them, the rest a number as a peer sends
 * it. Whatever is accepted must leave a number of 1 to 40 characters, and refusing must say why.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trie.h"
#include "number/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct transform *t, struct str number)
{
	char text[TRANSFORM_NUMBER_MAX];
	struct buf out = buf_fixed(text, sizeof(text));

	if (transform_apply(t, number, &out) < 0) {
		assert(out.n == 0);
		return;
	}
	assert(out.n >= 1 && out.n <= TRANSFORM_NUMBER_MAX);
	assert(!trie_is_key(number) || trie_is_key(buf_str(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(transform_free) struct transform *t = NULL;
	struct str number = str_n(data, size), rules = STR("");
	struct err err = ERR_INIT;

	(void)str_line(&number, &rules);
	if (transform_create(&t, rules, &err) < 0) {
		assert(err_is_set(&err) && err.message[0]);
		return 0;
	}
	apply(t, number);
	return 0;
}
