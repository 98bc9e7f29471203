#include "base/secret.h"

#include <string.h>

bool secret_eq(struct str a, struct str b)
{
	/* Volatile, or the compiler may find that a difference once seen decides the result. */
	volatile unsigned char diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff = (unsigned char)(diff | (a.p[i] ^ b.p[i]));
	return diff == 0;
}

void secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}
