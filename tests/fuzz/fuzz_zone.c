/* A file as /usr/share/zoneinfo has them. Whatever zone comes of it, its clock is never more than two days off, and goes on. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(zone_free) struct zone *z = NULL;
	static const ms_t at[] = { -62135596800000, 0, 1795694556146, 4102444800000 };

	if (zone_parse(&z, str_n(data, size)) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		ms_t off = zone_offset(z, at[i]), utc = zone_utc(z, at[i]);

		assert(off > -700000000 && off < 700000000);
		assert(utc - at[i] > -700000000 && utc - at[i] < 700000000);
	}
	return 0;
}
