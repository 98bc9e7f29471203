/* What stands at the end of a disk that somebody plugged in: whatever it is, it is a half of a mirror or it is not. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "formats/mirror.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t AT = 8192;
	char super[MIRROR_SUPER] = { 0 };
	struct mirror_half half;

	/* Shorter inputs stand for their beginning, so that mutations stay cheap. */
	memcpy(super, data, size < sizeof(super) ? size : sizeof(super));
	if (mirror_parse(&half, str_n(super, sizeof(super)), AT) < 0)
		return 0;
	assert(half.disks > 0 && half.disks <= MIRROR_DISKS_MAX);
	assert(mirror_is_same(&half, &half));
	return 0;
}
