#include "rating/bands.h"

enum { CALL_MAX_MS = 2 * DAY_MS }; /* a day, and the increment it may end in */

bool bands_are_off_peak(const struct bands *b, ms_t wall_ms)
{
	for (int i = 0; i < b->plans; i++) {
		if (timeplan_is_in_force(b->plan[i], wall_ms))
			return true;
	}
	return false;
}

ms_t bands_next(const struct bands *b, ms_t at, ms_t until)
{
	bool is_off = bands_are_off_peak(b, at);

	/* One plan may end where another begins. */
	while (at < until) {
		ms_t next = until;

		for (int i = 0; i < b->plans; i++)
			next = timeplan_next(b->plan[i], at, next);
		at = next;
		if (at < until && bands_are_off_peak(b, at) != is_off)
			break;
	}
	return at;
}

/* A second lies in the band in which it begins. Each boundary is a section from which on the other price holds. */
static void split(const struct bands *b, money_t other, ms_t answer, struct terms *t)
{
	ms_t end = answer + CALL_MAX_MS, at = answer;
	money_t price[2] = { t->price, other };

	for (int turn = 1; (at = bands_next(b, at, end)) < end; turn = !turn) {
		int64_t start_s = (at - answer + 999) / 1000;
		struct section *last =
			t->section_count > 0 ? &t->section[t->section_count - 1] : NULL;

		if (last && last->start_s == start_s)
			last->price = price[turn];
		else if (t->section_count < TERMS_SECTIONS)
			t->section[t->section_count++] = (struct section){ start_s, price[turn] };
		else
			break;
	}
	t->is_of_talk = t->section_count > 0;
}

/* Prices of one unit, and no sections of billed seconds: else the band of the answer holds to the end. */
static bool can_split(const struct rate *a, const struct rate *b)
{
	return a->is_split && a->unit_s == b->unit_s && a->section_count == 0 &&
	       b->section_count == 0;
}

struct banded bands_find(const struct bands *b, const struct tariff *own, struct str number,
			 struct str caller, ms_t wall_ms, struct tariff_span *span,
			 struct terms *ret_terms)
{
	const struct rate *peak = own ? tariff_find_span(own, number, caller, wall_ms, span) : NULL;
	const struct rate *off = NULL;
	struct banded found = { own, peak };

	if (peak && !peak->is_locked && b && b->off)
		off = tariff_find_span(b->off, number, caller, wall_ms, span);
	if (off && off->is_locked)
		off = NULL;
	if (!peak || !off) {
		if (peak)
			tariff_terms(own, peak, ret_terms);
		return found;
	}

	ms_t next = bands_next(b, wall_ms, wall_ms + DAY_MS);
	bool is_off = bands_are_off_peak(b, wall_ms);

	if (span->from < wall_ms)
		span->from = wall_ms;
	if (span->until > next)
		span->until = next;
	if (is_off)
		found = (struct banded){ b->off, off };
	tariff_terms(found.tariff, found.rate, ret_terms);
	if (can_split(peak, off))
		split(b, is_off ? peak->price : off->price, wall_ms, ret_terms);
	return found;
}
