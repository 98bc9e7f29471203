/* GRUB's environment block: what is accepted reads the same after it was written anew. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "formats/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char block[SLOTS_BLOCK];
	struct slots s, back;

	/* Shorter inputs stand for their beginning of a block, so that mutations stay cheap. */
	memset(block, '#', sizeof(block));
	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	if (slots_parse(&s, str_n(block, sizeof(block))) < 0)
		return 0;
	assert(s.order[0] != s.order[1]);
	assert(slots_index(s.order[0]) >= 0 && slots_index(s.order[1]) >= 0);
	slots_print(&s, block);
	assert(slots_parse(&back, str_n(block, sizeof(block))) == 0);
	assert(memcmp(back.order, s.order, sizeof(s.order)) == 0);
	for (int i = 0; i < SLOTS_COUNT; i++)
		assert(back.is_ok[i] == s.is_ok[i] && back.tries[i] == s.tries[i]);
	return 0;
}
