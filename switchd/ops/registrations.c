#include "ops/inner.h"

/* The rows come from the workers; `kind` says whose registration it is, and rows of further kinds join here. */
int registration_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return ask_workers(o, r, ASK_REGISTRATIONS, 0, err);
}
