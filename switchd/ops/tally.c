#include "ops/tally.h"

uint64_t tally_look(struct tally *t, uint64_t total, int64_t now_ms)
{
	if (total != t->total) {
		t->total = total;
		t->changed_ms = now_ms;
	}
	if (t->seen > total || now_ms - t->changed_ms >= TALLY_QUIET_MS)
		t->seen = total;
	return total - t->seen;
}

void tally_end(struct tally *t)
{
	t->seen = t->total;
}
