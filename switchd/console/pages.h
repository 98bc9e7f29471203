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

/* A key's action on a list whose rows have an id or a call_id: the ladder of that call, if a trace has kept it. */
int trace_ladder(void *ctx);
int traces_page(struct app *app);
int calls_page(struct app *app);
/* A key's action on a list of gateways: the calls in progress of the selected one. */
int calls_of_gateway(void *ctx);
int customers_page(struct app *app);
int vendors_page(struct app *app);
int groups_page(struct app *app);
int plans_page(struct app *app);
int analysis_page(struct app *app);
int gateways_page(struct app *app);
int phones_page(struct app *app);
int numbers_page(struct app *app);
int blacklist_page(struct app *app);
int spend_page(struct app *app);
int accounts_page(struct app *app);
int payments_page(struct app *app);
int rates_page(struct app *app);
int cdrs_page(struct app *app);
int route_page(struct app *app);
int params_page(struct app *app);
int knocks_page(struct app *app);
int bans_page(struct app *app);
int alarms_page(struct app *app);
int log_page(struct app *app);
int reports_page(struct app *app);
int backups_page(struct app *app);
int books_page(struct app *app);
int updates_page(struct app *app);
int machine_page(struct app *app);
int about_page(struct app *app);
int licence_page(struct app *app);
