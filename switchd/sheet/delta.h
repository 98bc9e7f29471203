/*
 * delta: what a sheet changes in the rates of its group: which versions end, which are taken away before they began, which lines
 * become rates, and what that means for each prefix. It only reads; sheet/store does it.
 *
 * A line replaces what the prefix has from the line's moment on; a line that says what is in force anyway changes nothing. Columns
 * that the file does not have stay as the prefix has them (but `end`: a price without one is open). mode=replace: what the sheet
 * does not name ends at the sheet's moment. A prefix for callers of an origin group is another one than for any caller; rates by origin
 * are no business of a sheet that has no column for it.
 */
#pragma once

#include "sheet/sheet.h"
#include "store/db.h"

enum sheet_mode { SHEET_UPDATE, SHEET_REPLACE };

/* X(NAME, word, what it is) */
#define SHEET_CHANGES(X)                               \
	X(NEW, "added", "had no rate")                 \
	X(UP, "raised", "dearer")                      \
	X(DOWN, "lowered", "cheaper")                  \
	X(TERMS, "changed", "same price, other terms") \
	X(REMOVED, "removed", "has no rate any more")  \
	X(UNCHANGED, "unchanged", "as it was")

enum sheet_change {
#define SHEET_ENUM(name, word, help) SHEET_##name,
	SHEET_CHANGES(SHEET_ENUM)
#undef SHEET_ENUM
		SHEET_CHANGE_COUNT
};
extern const char *const sheet_change_names[SHEET_CHANGE_COUNT];

struct delta_end { /* of a version that is there */
	int64_t version;
	ms_t old_end, end; /* FIELD_ABSENT: open */
};

struct delta_change { /* for the preview */
	const char *prefix;
	const struct sheet_row *row; /* NULL: removed because the sheet does not name it */
	money_t old_price;
	ms_t at;
	int32_t old_unit; /* 0: there was none */
	const char *origin;
	uint8_t prefix_n, origin_n;
	uint8_t change; /* enum sheet_change */
	/* Last week's calls by it, as they were rated and as they would be (sheet/effect). */
	int64_t calls, seconds;
	money_t before, after;
};

struct delta_ask {
	struct str group;
	enum sheet_mode mode;
	ms_t now;
	ms_t moment;     /* of the sheet; lines without one have been given it */
	bool is_preview; /* changes are listed, too */
};

struct delta {
	struct delta_end *end;
	size_t ends, end_room;
	int64_t *drop; /* versions that have not begun */
	size_t drops, drop_room;
	struct delta_change *change;
	size_t changes, change_room;
	int64_t count[SHEET_CHANGE_COUNT];
	size_t adds; /* lines of the sheet with is_new */
};

/* Marks the rows of the sheet and fills in what they inherit. 0 or negative errno; delta_done follows in every case. */
int delta_make(struct delta *ret, struct db *d, struct sheet *s, const struct delta_ask *ask);
void delta_done(struct delta *p);

static inline void delta_done_cleanup(struct delta *p)
{
	delta_done(p);
}
