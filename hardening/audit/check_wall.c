/* The packet filter as the kernel has it, not as its rules were written. */
#include <errno.h>

#include "check.h"
#include "wall.h"

#define TABLE "tandem"

struct looking {
	struct str chain;
	bool is_there, does_drop;
};

static void on_chain(void *ctx, struct str chain, bool does_drop)
{
	struct looking *l = ctx;

	if (!str_eq(chain, l->chain))
		return;
	l->is_there = true;
	l->does_drop = does_drop;
}

int check_wall(struct job *j)
{
	char word[TREE_PATH];
	int r = 0;

	if (!j->tree->is_here) {
		job_skip(j, "takes a running machine");
		return 0;
	}
	while (r == 0 && job_word(j, word)) {
		bool must_drop = word[0] != '+';
		struct looking l = { .chain = str_of(must_drop ? word : word + 1) };

		r = wall_each(STR(TABLE), on_chain, &l);
		if (r == 0 && !l.is_there)
			job_fault(j, "the firewall has no chain %.*s", STR_ARG(l.chain));
		else if (r == 0 && must_drop && !l.does_drop)
			job_fault(j, "chain %s lets in what no rule is for", word);
	}
	return r;
}
