/* world_spend: the spend rules of a world, and which of them hold for an account. */
#pragma once

#include "call/world.h"

enum { SPEND_RULES_MAX = 16 }; /* that hold for one account: WATCHERS_MAX of a call */

/* The account's name where a rule counts all together. */
#define SPEND_TOGETHER "*"

struct spend_rule {
	struct spend_rule_row *row;
	struct ranges *ranges; /* callee and callee_not */
	struct str *area;      /* slices of row->areas */
	int areas;
	const struct timeplan *plan; /* NULL: always */
	struct spent_limits limits;
};

struct spend_watch { /* one that holds for an account */
	const struct spend_rule *rule;
	struct spent *spent;
};

/* Accounts and time plans have been taken. -EINVAL with *err; -ENOMEM. */
int take_spend_rules(struct world *w, struct world_input *in, struct err *err);
void spend_rules_done(struct world *w);
/* area: of the number, NULL = none. */
bool spend_rule_is_about(const struct spend_rule *r, struct str callee, const char *area);
/* The check of a row at entry. */
int world_check_spend_rule(const struct spend_rule_row *row, struct err *err);
