/* history: the last values of a number, drawn as bars. */
#pragma once

#include <stdint.h>

#include "tui/draw.h"

enum { HISTORY = 120 };

struct history {
	int64_t value[HISTORY]; /* ring: sample number % HISTORY */
	int64_t count;          /* samples so far */
};

void history_add(struct history *h, int64_t value);
/* The highest of the last n; 0 if there are none. */
int64_t history_max(const struct history *h, int n);
/* How high the bar of a value is, of `rows`: at least 1 for what is not 0. */
int history_bar(int64_t value, int64_t max, int rows);
/* Newest at the right, as many as there is room for, over a line with the highest one. */
void history_draw(const struct history *h, struct area a, const char *title);
