/* app: what every page of the console needs. */
#pragma once

#include "daemons.h"
#include "tui/screen.h"

struct app {
	struct screen *screen;
	struct daemons daemons;
};
