/* The kernel's command line: what is accepted can be handed to dm-verity. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "formats/bootline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootline b;

	if (bootline_parse(&b, str_n(data, size)) < 0)
		return 0;
	if (b.is_install)
		return 0;
	assert(b.slot == 'a' || b.slot == 'b');
	assert(b.tries[0] <= 3 && b.tries[1] <= 3);
	assert(b.blocks > 0 && b.hash_start >= b.blocks);
	assert(strspn(b.root_hash, "0123456789abcdefABCDEF") == BOOTLINE_HASH_SIZE - 1);
	assert(strspn(b.salt, "0123456789abcdefABCDEF") == BOOTLINE_HASH_SIZE - 1);
	return 0;
}
