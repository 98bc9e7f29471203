/* login: wrong passwords at the machine's consoles: looked at, and the wait after too many ended. */
#pragma once

#include "host.h"

int login_show(struct host *h, struct request *r, struct err *err);
int login_unlock(struct host *h, struct request *r, struct err *err);
