#include "history.h"

void history_add(struct history *h, int64_t value)
{
	h->value[h->count++ % HISTORY] = value < 0 ? 0 : value;
}

static int64_t sample(const struct history *h, int back)
{
	return h->value[(h->count - 1 - back) % HISTORY];
}

static int known(const struct history *h, int n)
{
	if (n > HISTORY)
		n = HISTORY;
	return h->count < n ? (int)h->count : n;
}

int64_t history_max(const struct history *h, int n)
{
	int64_t max = 0;

	for (int i = 0; i < known(h, n); i++) {
		if (sample(h, i) > max)
			max = sample(h, i);
	}
	return max;
}

int history_bar(int64_t value, int64_t max, int rows)
{
	if (value <= 0 || max <= 0)
		return 0;

	int64_t height = (value * rows + max / 2) / max;
	return height < 1 ? 1 : (int)height;
}

void history_draw(const struct history *h, struct area a, const char *title)
{
	int n = known(h, a.cols), rows = a.rows - 1;
	int64_t max = history_max(h, a.cols);

	(void)draw_format(a, 0, 0, ROLE_HEAD, "%s", title);
	draw_cell(a, 0, a.cols - 24, 24, ROLE_DIM, STR(""), true);
	(void)draw_format(a, 0, a.cols - 24, ROLE_DIM, "highest %lld", (long long)max);
	for (int i = 0; i < n; i++) {
		int height = history_bar(sample(h, i), max, rows);

		for (int y = 0; y < height; y++)
			(void)draw_text(a, a.rows - 1 - y, a.cols - 1 - i, ROLE_GOOD, STR("#"));
	}
}
