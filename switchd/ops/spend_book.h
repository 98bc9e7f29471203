/*
 * spend_book: what spend rules count, by rule and account. Made when a world first asks for it and kept
 * as long as the switch runs: calls point at it. Main thread, but for what spent.h says.
 */
#pragma once

#include "base/clock.h"
#include "base/htab.h"
#include "rating/spent.h"

enum { SPEND_WHY_MAX = 160 };

struct spend_count {
	struct hnode node;
	struct spent spent;
	char *rule, *account;
	uint64_t pass;   /* of the last look that found it in the world */
	int64_t state;   /* SPEND_STATE_* */
	ms_t since;      /* wall; of what state says */
	ms_t until;      /* wall; FIELD_ABSENT: until it is reset */
	ms_t until_mono; /* the same; INT64_MAX */
	int64_t value;   /* of the alarm */
	char why[SPEND_WHY_MAX];
	bool is_dirty, is_urgent, is_stored;
	ms_t saved_mono;
};

struct spend_book {
	struct htab counts;
	uint64_t pass;
};

/* Now, as spent.h wants it. */
int64_t spend_clock_s(void);

int spend_book_create(struct spend_book **ret);
struct spend_book *spend_book_free(struct spend_book *b);
/* NULL: memory is short; spend_book_find: there is none. */
struct spend_count *spend_book_get(struct spend_book *b, const char *rule, const char *account);
struct spend_count *spend_book_find(const struct spend_book *b, const char *rule,
				    const char *account);

#define SPEND_COUNT_EACH(i, b, n)   \
	HTAB_EACH (i, &(b)->counts) \
		if (((n) = CONTAINER(i, struct spend_count, node)))
