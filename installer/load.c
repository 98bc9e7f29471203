#include "load.h"

#include "model/ports.h"

uint32_t load_missing(const struct answers *a, struct buf *what)
{
	int64_t lines = answers_int(a, ANSWER_LINES), cps = answers_int(a, ANSWER_CPS);
	uint32_t needed = (uint32_t)ports_needed((uint64_t)lines, (uint64_t)cps);
	uint16_t first, last;

	answers_ports(a, ANSWER_MEDIA_PORTS, &first, &last);
	uint32_t there = (uint32_t)last - first + 1;
	buf_printf(what, "%lld calls and %lld a second need %u media ports; %u-%u are %u",
		   (long long)lines, (long long)cps, needed, first, last, there);
	return there >= needed ? 0 : needed - there;
}
