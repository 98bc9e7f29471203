#include "vendor/reach.h"

enum { REFUSING = 503 };

static void turn(struct reach *r, enum reach_health health, ms_t wall_ms)
{
	if (atomic_load(&r->health) == (int)health)
		return;
	atomic_store(&r->since_ms, wall_ms);
	atomic_store(&r->health, (int)health);
}

void reach_probed(struct reach *r, int code, ms_t wall_ms)
{
	int health = atomic_load(&r->health);

	atomic_store(&r->code, code);
	r->has_answered |= code > 0;
	if (code > 0 && code != REFUSING) {
		atomic_store(&r->failures, 0);
		r->answers++;
		if (health != REACH_DOWN || r->answers >= REACH_ANSWERS)
			turn(r, REACH_UP, wall_ms);
		return;
	}
	r->answers = 0;
	if (atomic_fetch_add(&r->failures, 1) + 1 >= REACH_FAILURES && r->has_answered)
		turn(r, REACH_DOWN, wall_ms);
}

bool reach_is_in_doubt(const struct reach *r)
{
	int failures = atomic_load(&r->failures);

	if (atomic_load(&r->health) == REACH_DOWN)
		return r->answers > 0;
	return failures > 0 && failures < REACH_FAILURES;
}

void reach_forget(struct reach *r, ms_t wall_ms)
{
	turn(r, REACH_UNPROBED, wall_ms);
	atomic_store(&r->code, 0);
	atomic_store(&r->failures, 0);
	r->answers = 0;
	r->has_answered = false;
}

void reach_set_place(struct reach *r, enum reach_place place, int error, ms_t wall_ms)
{
	atomic_store(&r->place_error, error);
	if (atomic_load(&r->place) == (int)place)
		return;
	atomic_store(&r->place_since_ms, wall_ms);
	atomic_store(&r->place, (int)place);
}

bool reach_is_open(const struct reach *r, bool needs_registration)
{
	return atomic_load(&r->health) != REACH_DOWN &&
	       (!needs_registration || atomic_load(&r->place) == REACH_REGISTERED);
}

const char *reach_health_name(enum reach_health h)
{
	static const char *const names[] = { "unprobed", "up", "down" };

	return names[h];
}

const char *reach_place_name(enum reach_place p)
{
	static const char *const names[] = { "", "asking", "registered", "failed" };

	return names[p];
}
