/* update: the operations around the slots, the machine's restart, and its reset. */
#pragma once

#include "host.h"

/* Each answers the request, now or later, unless it gives negative errno with *err. */
int update_install(struct host *h, struct request *r, struct err *err);
int update_status(struct host *h, struct request *r, struct err *err);
int update_list(struct host *h, struct request *r, struct err *err);
int update_rollback(struct host *h, struct request *r, struct err *err);
int machine_reset(struct host *h, struct request *r, struct err *err);
int machine_restart(struct host *h, struct request *r, struct err *err);
/* Waits for what is under way. */
void update_stop(struct host *h);
