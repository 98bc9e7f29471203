#include "route/share.h"

int64_t share_gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int64_t share_place(uint64_t turn, int64_t total)
{
	int64_t step = total * 618 / 1000 + 1;

	while (share_gcd(step, total) != 1)
		step++;
	return (int64_t)(turn % (uint64_t)total) * step % total;
}
