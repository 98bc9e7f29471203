#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>

enum { LONGEST = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* People write names with either, and parameters in any case. */
static int plain(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static bool begins(struct str name, struct str with)
{
	return with.n > 1 && with.n <= name.n && str_ieq(str_head(name, with.n), with);
}

/* Optimal string alignment: three rows of the matrix at a time. Both at most LONGEST bytes. */
static unsigned distance(struct str a, struct str b)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (unsigned j = 0; j <= b.n; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			bool same = plain(a.p[i - 1]) == plain(b.p[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}

		unsigned *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[b.n];
}

struct nearest nearest_to(struct str given)
{
	/* One letter in three may be wrong, and at least one. */
	return (struct nearest){ .given = given, .distance = (unsigned)(given.n / 3 + 2) };
}

void nearest_try(struct nearest *n, const char *name)
{
	struct str s = str_of(name);
	unsigned d;

	if (n->given.n == 0 || n->given.n > LONGEST || s.n > LONGEST)
		return;
	/* An abbreviation is nearer than any misspelling but the slightest. */
	d = begins(s, n->given) ? 1 : distance(n->given, s);
	if (d < n->distance) {
		n->distance = d;
		n->best = name;
	}
}
