/* The list of an update: what is accepted has two parts that lie one behind the other, and words for a screen. */
#include <assert.h>
#include <stdint.h>

#include "formats/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct bundle b;

	if (bundle_parse(&b, str_n(data, size), BUNDLE_HEAD + size, &err) < 0) {
		assert(err_is_set(&err));
		return 0;
	}
	assert(b.version[0] && !str_has_control(str_of(b.version)));
	assert(b.machine[0] && !str_has_control(str_of(b.machine)));
	assert(b.built > 0 && b.part[0].size > 0 && b.part[1].size > 0);
	assert(b.part[0].at == BUNDLE_HEAD + size);
	assert(b.part[1].at == b.part[0].at + b.part[0].size);
	return 0;
}
