#include "rating/spent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/entity.h"

enum { SLOTS_MAX = 61, HOUR_S = 3600, AVERAGE_HOURS = 6 };

/* The slot that is filled and `slots - 1` whole ones before it. */
static const struct shape {
	int slots, slot_s;
} shapes[SPENT_WINDOWS] = {
	[SPENT_MINUTE] = { 61, 1 },
	[SPENT_HOUR] = { 31, 120 },
	[SPENT_DAY] = { 49, 1800 },
};

struct ring {
	struct spent_sum sum;
	int64_t newest; /* number of the slot being filled: now_s / slot_s */
	struct spent_sum slot[SLOTS_MAX];
};

struct spent_slots {
	struct ring ring[SPENT_WINDOWS];
};

void spent_init(struct spent *s)
{
	atomic_store(&s->money_at, INT64_MAX);
	atomic_store(&s->calls_at, INT64_MAX);
}

void spent_done(struct spent *s)
{
	free(s->slots);
	s->slots = NULL;
}

/* ---- any thread ---- */

void spent_tell(struct spent *s, money_t money, int64_t calls)
{
	if (money)
		atomic_fetch_add(&s->money, money);
	if (calls)
		atomic_fetch_add(&s->calls, calls);
}

static bool is_over(const struct spent *s, money_t pending)
{
	money_t at = atomic_load(&s->money_at);

	return atomic_load(&s->is_stopped) || atomic_load(&s->calls) >= atomic_load(&s->calls_at) ||
	       (at != INT64_MAX && atomic_load(&s->money) >= at - pending);
}

bool spent_is_over(const struct spent *s, bool with_pending)
{
	return is_over(s, with_pending ? atomic_load(&s->pending) : 0);
}

bool spent_take(struct spent *s, money_t first)
{
	if (!is_over(s, atomic_fetch_add(&s->pending, first)))
		return true;
	spent_give(s, first);
	return false;
}

void spent_give(struct spent *s, money_t first)
{
	atomic_fetch_sub(&s->pending, first);
}

/* ---- windows ---- */

static void add(struct spent_sum *to, const struct spent_sum *what, int sign)
{
	to->money += sign * what->money;
	to->calls += sign * what->calls;
}

/* What is older than the window goes. */
static void slide(struct ring *r, const struct shape *shape, int64_t newest)
{
	if (newest - r->newest >= shape->slots) {
		*r = (struct ring){ .newest = newest };
		return;
	}
	while (r->newest < newest) {
		struct spent_sum *slot = &r->slot[++r->newest % shape->slots];

		add(&r->sum, slot, -1);
		*slot = (struct spent_sum){ 0 };
	}
}

static bool is_empty(const struct spent_sum *s)
{
	return s->money == 0 && s->calls == 0;
}

static struct spent_slots *slots_make(int64_t now_s)
{
	struct spent_slots *slots = calloc(1, sizeof(*slots));

	for (int w = 0; slots && w < SPENT_WINDOWS; w++)
		slots->ring[w].newest = now_s / shapes[w].slot_s;
	return slots;
}

/* What happened at that second; what is older than the window is left out. */
static void put(struct ring *r, const struct shape *shape, int64_t at_s,
		const struct spent_sum *what)
{
	int64_t slot = at_s / shape->slot_s;

	if (slot > r->newest || r->newest - slot >= shape->slots || slot < 0)
		return;
	add(&r->slot[slot % shape->slots], what, 1);
	add(&r->sum, what, 1);
}

bool spent_look(struct spent *s, int64_t now_s)
{
	struct spent_sum total = { atomic_load(&s->money), atomic_load(&s->calls) };
	struct spent_sum since = total;

	add(&since, &s->seen, -1);
	if (!s->slots && is_empty(&since))
		return false;
	if (!s->slots)
		s->slots = slots_make(now_s);
	if (!s->slots)
		return false;
	for (int w = 0; w < SPENT_WINDOWS; w++) {
		slide(&s->slots->ring[w], &shapes[w], now_s / shapes[w].slot_s);
		put(&s->slots->ring[w], &shapes[w], now_s, &since);
	}
	s->seen = total;
	if (is_empty(&s->slots->ring[SPENT_DAY].sum))
		spent_done(s);
	return !is_empty(&since);
}

void spent_sum(const struct spent *s, enum spent_window w, struct spent_sum *ret)
{
	*ret = s->slots ? s->slots->ring[w].sum : (struct spent_sum){ 0 };
}

/* How long ago, in half hours, the day's oldest slot is that has something. */
static int64_t oldest_slot(const struct ring *day)
{
	int slots = shapes[SPENT_DAY].slots;

	for (int64_t age = slots - 1; age > 0; age--) {
		if (day->newest >= age && !is_empty(&day->slot[(day->newest - age) % slots]))
			return age;
	}
	return 0;
}

bool spent_average(const struct spent *s, struct spent_sum *ret)
{
	const struct spent_sum *day, *hour;
	int64_t before_s;

	if (!s->slots)
		return false;
	day = &s->slots->ring[SPENT_DAY].sum;
	hour = &s->slots->ring[SPENT_HOUR].sum;
	before_s = oldest_slot(&s->slots->ring[SPENT_DAY]) * shapes[SPENT_DAY].slot_s - HOUR_S;
	if (before_s < AVERAGE_HOURS * HOUR_S)
		return false;
	ret->money = (money_t)((int128_t)(day->money - hour->money) * HOUR_S / before_s);
	ret->calls = (day->calls - hour->calls) * HOUR_S / before_s;
	return true;
}

bool spent_is_empty(const struct spent *s)
{
	return !s->slots;
}

void spent_forget(struct spent *s)
{
	s->seen = (struct spent_sum){ atomic_load(&s->money), atomic_load(&s->calls) };
	spent_done(s);
}

/* ---- limits ---- */

/* The lower of `before` and the total at which so much more is there than what was counted. */
static int64_t mark_of(int64_t total, int64_t counted, int64_t most, int64_t before)
{
	int64_t left, mark;

	if (most == FIELD_ABSENT || __builtin_sub_overflow(most, counted, &left))
		return before;
	if (left < 0)
		left = 0;
	return !__builtin_add_overflow(total, left, &mark) && mark < before ? mark : before;
}

void spent_mark(struct spent *s, const struct spent_limits *limits)
{
	int64_t money = INT64_MAX, calls = INT64_MAX;

	for (int w = 0; limits && w < SPENT_WINDOWS; w++) {
		struct spent_sum sum;

		spent_sum(s, (enum spent_window)w, &sum);
		money = mark_of(s->seen.money, sum.money, limits->most[w].money, money);
		calls = mark_of(s->seen.calls, sum.calls, limits->most[w].calls, calls);
	}
	atomic_store(&s->money_at, money);
	atomic_store(&s->calls_at, calls);
}

static bool is_times(int64_t value, int64_t average, int64_t times, int64_t least)
{
	return value > 0 && value >= least && (int128_t)value >= (int128_t)average * times;
}

static bool exceeds_average(const struct spent *s, const struct spent_limits *limits,
			    struct spent_excess *ret)
{
	const struct spent_sum *least = &limits->least;
	struct spent_sum average, hour;
	bool money, calls;

	if (limits->times == FIELD_ABSENT || !spent_average(s, &average))
		return false;
	spent_sum(s, SPENT_HOUR, &hour);
	money = is_times(hour.money, average.money, limits->times, least->money);
	calls = is_times(hour.calls, average.calls, limits->times, least->calls);
	if (money || calls)
		*ret = (struct spent_excess){ .window = SPENT_HOUR,
					      .is_calls = !money,
					      .is_average = true,
					      .limit = money ? average.money : average.calls };
	return money || calls;
}

bool spent_exceeds(const struct spent *s, const struct spent_limits *limits,
		   struct spent_excess *ret)
{
	for (int w = 0; w < SPENT_WINDOWS; w++) {
		const struct spent_sum *most = &limits->most[w];
		struct spent_sum sum;
		bool money, calls;

		spent_sum(s, (enum spent_window)w, &sum);
		money = most->money != FIELD_ABSENT && sum.money >= most->money;
		calls = most->calls != FIELD_ABSENT && sum.calls >= most->calls;
		if (!money && !calls)
			continue;
		*ret = (struct spent_excess){ .window = (enum spent_window)w,
					      .is_calls = !money,
					      .limit = money ? most->money : most->calls };
		return true;
	}
	return exceeds_average(s, limits, ret);
}

/* ---- over a restart ---- */

static void save_ring(const struct ring *r, const struct shape *shape, struct buf *out,
		      int64_t now_s)
{
	for (int64_t n = r->newest; n > r->newest - shape->slots && n >= 0; n--) {
		const struct spent_sum *slot = &r->slot[n % shape->slots];

		if (!is_empty(slot))
			buf_printf(out, "%lld:%lld:%lld,", (long long)(now_s - n * shape->slot_s),
				   (long long)slot->money, (long long)slot->calls);
	}
}

void spent_save(const struct spent *s, struct buf *out, int64_t now_s)
{
	if (!s->slots)
		return;
	save_ring(&s->slots->ring[SPENT_HOUR], &shapes[SPENT_HOUR], out, now_s);
	buf_putc(out, ';');
	save_ring(&s->slots->ring[SPENT_DAY], &shapes[SPENT_DAY], out, now_s);
}

static int load_ring(struct ring *r, const struct shape *shape, struct str list, int64_t age_s,
		     int64_t now_s)
{
	struct str item, part;
	int n = 0;

	while (str_split(&list, ',', &item)) {
		struct spent_sum what;
		int64_t age;

		if (str_is_empty(item))
			continue;
		if (n++ == SLOTS_MAX || !str_split(&item, ':', &part) ||
		    str_to_i64(part, 0, 2 * 86400, &age) < 0 || !str_split(&item, ':', &part) ||
		    str_to_i64(part, INT64_MIN / 1000, INT64_MAX / 1000, &what.money) < 0 ||
		    str_to_i64(item, 0, INT32_MAX, &what.calls) < 0)
			return -EINVAL;
		put(r, shape, now_s - age - age_s, &what);
	}
	return 0;
}

int spent_load(struct spent *s, struct str text, int64_t age_s, int64_t now_s)
{
	struct str hour;
	int r = 0;

	if (str_is_empty(text))
		return 0;
	s->slots = slots_make(now_s);
	if (!s->slots)
		return -ENOMEM;
	if (!str_split(&text, ';', &hour))
		hour = STR("");
	r = load_ring(&s->slots->ring[SPENT_HOUR], &shapes[SPENT_HOUR], hour, age_s, now_s);
	if (r == 0)
		r = load_ring(&s->slots->ring[SPENT_DAY], &shapes[SPENT_DAY], text, age_s, now_s);
	if (r < 0 || is_empty(&s->slots->ring[SPENT_DAY].sum))
		spent_done(s);
	return r;
}
