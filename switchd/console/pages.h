/* pages: everything that the menu leads to. */
#pragma once

#include "app.h"

struct page {
	int key;
	const char *title;
	const char *help;
	/* As an action: VIEW_STAYS or below 0. */
	int (*run)(struct app *app);
};

/* The last one has no run. */
extern const struct page pages[];

int calls_page(struct app *app);
int customers_page(struct app *app);
int vendors_page(struct app *app);
int gateways_page(struct app *app);
int accounts_page(struct app *app);
int payments_page(struct app *app);
int rates_page(struct app *app);
int cdrs_page(struct app *app);
int route_page(struct app *app);
int params_page(struct app *app);
int bans_page(struct app *app);
int alarms_page(struct app *app);
int log_page(struct app *app);
int books_page(struct app *app);
int about_page(struct app *app);
