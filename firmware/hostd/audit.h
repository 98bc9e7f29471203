/* audit: what switch-audit found when it last ran, and the wish that it runs again. */
#pragma once

#include "host.h"

/* Each answers the request unless it gives negative errno with *err. */
int audit_show(struct host *h, struct request *r, struct err *err);
int audit_run(struct host *h, struct request *r, struct err *err);
