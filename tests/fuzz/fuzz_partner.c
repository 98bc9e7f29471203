/*
 * The first line is a map of columns, the second the name of a zone, the rest a partner's CSV. What was read is in order and lies within what
 * it may be.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "report/partner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_n(data, size), map = STR(""), name = STR("");
	CLEANUP(zone_free) struct zone *zone = NULL;
	struct err err = ERR_INIT;
	struct partner p;

	(void)str_line(&rest, &map);
	(void)str_line(&rest, &name);
	if ((str_find(name, STR("/")) >= 0 || zone_create(&zone, name) < 0) &&
	    zone_create(&zone, STR("UTC")) < 0)
		return 0;
	if (partner_read(&p, rest, map, zone, size % 12, &err) == 0) {
		for (size_t i = 0; i < p.calls; i++) {
			assert(p.call[i].digits.n > 0);
			assert(p.call[i].seconds >= 0);
			assert(p.call[i].start >= p.first && p.call[i].start <= p.last);
			assert(i == 0 || p.call[i].number >= p.call[i - 1].number);
		}
	}
	partner_done(&p);
	return 0;
}
