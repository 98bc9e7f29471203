/* ops: what the control protocol can ask of switch-lockoutd. */
#pragma once

#include "control/server.h"

/* request_fn for the control server; ctx is a struct guard. */
void ops_request(void *guard, struct request *r);
