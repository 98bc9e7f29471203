/*
 * The first line is expressions as an operator gives them, the rest a number as a peer sends it.
 * Refusing must say why; matching must end, and leave only characters of a number.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trie.h"
#include "number/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pattern_free) struct pattern *p = NULL;
	struct str number = str_n(data, size), text = STR("");
	struct err err = ERR_INIT;
	char room[400];
	struct buf out = buf_fixed(room, sizeof(room));

	(void)str_line(&number, &text);
	if (pattern_create(&p, text, &err) < 0) {
		assert(err_is_set(&err) && err.message[0]);
		return 0;
	}
	if (trie_is_key(number) && pattern_apply(p, number, &out) == 1) {
		for (size_t i = 0; i < out.n; i++)
			assert(trie_is_key(str_n(out.p + i, 1)));
	}
	return 0;
}
