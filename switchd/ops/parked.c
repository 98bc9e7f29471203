#include <errno.h>
#include <stdlib.h>

#include "ops/inner.h"

/*
 * While a rate sheet is put in place, seconds for a large one, switch.db is the clerk's to write. Who wants to change something is
 * not refused: the handler undoes what it began (as with any failure of change_begin), and the request is handled from its beginning
 * when the sheet is there.
 */

struct parked {
	struct list node;
	struct request *request;
};

int parked_add(struct ops *o, struct request *r)
{
	struct parked *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->request = r;
	list_add_tail(&o->parked, &p->node);
	return OP_LATER;
}

static void fail(struct request *r)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_CONFLICT, "", STR(""), "try again",
		      "a rate sheet was being put in place");
	request_fail(r, &err);
}

void parked_run(struct ops *o)
{
	struct list all, *first;

	list_init(&all);
	list_move_all(&all, &o->parked);
	while ((first = list_shift(&all))) {
		struct parked *p = CONTAINER(first, struct parked, node);
		struct request *r = p->request;

		free(p);
		if (request_is_gone(r))
			fail(r); /* who has left is taken not to want it any more */
		else
			ops_request(o, r);
	}
}

void parked_stop(struct ops *o)
{
	struct list *first;

	while ((first = list_shift(&o->parked))) {
		struct parked *p = CONTAINER(first, struct parked, node);

		fail(p->request);
		free(p);
	}
}
