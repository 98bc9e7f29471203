/* ops: what the control protocol can ask of switch-hostd. */
#pragma once

#include "host.h"

/* request_fn for the control server; ctx is a struct host. */
void ops_request(void *host, struct request *r);
