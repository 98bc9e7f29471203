/* guide_inner: what the pages of the guide share. */
#pragma once

#include "base/err.h"
#include "guide.h"
#include "model/entity.h"
#include "setup.h"
#include "state.h"
#include "tui/screen.h"

/* What a page comes to, if not to a negative errno. */
enum guide_move { GUIDE_BACK, GUIDE_NEXT };

enum { GUIDE_ENTRIES = 9, GUIDE_KEY = 80 };

struct guide {
	struct setup *setup;
	struct screen *screen;
	int page;
	int lock;
	uint32_t
		entered[GUIDE_ENTRIES]; /* rows made on the page of customers and vendors, a kind */
	char last[ENTITY_COUNT]
		 [GUIDE_KEY]; /* key of the row made last, where the next form begins */
	bool is_proved;
	char record[256]; /* of the last go-live test, without its ending */
};

typedef int guide_page_fn(struct guide *g, struct err *err);

guide_page_fn guide_welcome, guide_machine, guide_ports, guide_administrator, guide_licence,
	guide_profile, guide_apply, guide_market, guide_proof, guide_summary;

/* Saves page, answers and counts. 0 or negative errno with *err. */
int guide_save(struct guide *g, struct err *err);
