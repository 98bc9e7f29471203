/*
 * shadow: the other system's calls rated by the rates that are here, and each charge that differs named with its cause. Nothing is booked.
 */
#pragma once

#include <jansson.h>

#include "migrate/intake.h"
#include "rating/tariff.h"
#include "store/db.h"

/* X(NAME, word, what it is); the first that holds is the cause. */
#define SHADOW_CAUSES(X)                                                            \
	X(SAME, "same", "the same charge")                                          \
	X(ACCOUNT, "account", "there is no such account, or it has no rates")       \
	X(RATE, "rate", "the number has no rate here, or a locked one")             \
	X(PACKAGE, "package", "a package paid for it there")                        \
	X(INCREMENTS, "increments", "other seconds are billed, at the same price")  \
	X(ROUNDING, "rounding", "the same, rounded to the decimals that they show") \
	X(TAX, "tax", "the same fee, another tax")                                  \
	X(PRICE, "price", "another price")

enum shadow_cause {
#define SHADOW_ENUM(name, word, help) SHADOW_##name,
	SHADOW_CAUSES(SHADOW_ENUM)
#undef SHADOW_ENUM
		SHADOW_COUNT
};

/* A rate group; its tariff is compiled when a call first asks for it. */
struct shadow_group {
	char *name;
	struct tariff_rules rules;
	struct tariff *tariff;
};

struct shadow_row {
	enum shadow_cause cause;
	char id[32], account[64], callee[40];
	ms_t start;
	int64_t seconds, their_billed_s, billed_s;
	money_t theirs, ours; /* fee and tax */
};

struct shadow {
	struct db *config;
	struct shadow_group *group;
	size_t groups, limit;
	int64_t calls[SHADOW_COUNT];
	money_t theirs[SHADOW_COUNT], ours[SHADOW_COUNT];
	struct shadow_row *row; /* those that differ, at most limit */
	size_t rows;
};

/* config, group and limit are set. 0 or negative errno with *err; shadow_done in every case, which leaves the groups alone. */
int shadow_run(struct shadow *s, struct intake *p, struct err *err);
void shadow_done(struct shadow *s);
extern const char *const shadow_words[SHADOW_COUNT], *const shadow_helps[SHADOW_COUNT];
