#include "model/ports.h"

enum { PORTS_A_CALL = 4, REST_S = 10 };

uint64_t ports_needed(uint64_t lines, uint64_t cps)
{
	return lines * PORTS_A_CALL + cps * PORTS_A_CALL * REST_S;
}
