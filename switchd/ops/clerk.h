/*
 * clerk: looks things up in the books for people, on threads of its own, so that a question that takes minutes keeps neither
 * the control socket nor a call waiting. What it runs opens its own connections; nothing of struct ops may be touched there.
 * All functions here are for the main thread.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "control/server.h"

struct clerk;

/* On a thread of the clerk: 0 with *ret, or negative errno with *err. Once *stop is true it gives up, soon (db_set_stop). */
typedef int clerk_fn(void *task, const atomic_bool *stop, json_t **ret, struct err *err);

/*
 * On the main thread, when `work` is done: what it came to may be changed, and the work that follows is named; NULL: that was all.
 * The request is answered after that.
 */
typedef clerk_fn *clerk_next_fn(void *task, int *error, struct err *err);

int clerk_create(struct clerk **ret, sd_event *event);
/* Ends what is under way. */
struct clerk *clerk_free(struct clerk *c);
/*
 * The request is answered when it is done. task is handed over, also when this fails: free_task frees it. r NULL: nobody asks, it is
 * something that has to be done. OP_LATER or -ENOMEM.
 */
int clerk_take(struct clerk *c, struct request *r, clerk_fn *work, void *task,
	       void (*free_task)(void *task));
/* The same in several steps, with the main thread's leave in between. When the switch stops, next is not asked any more. */
int clerk_take_steps(struct clerk *c, struct request *r, clerk_fn *work, clerk_next_fn *next,
		     void *task, void (*free_task)(void *task));
/* Once a second: what nobody waits for any more is given up. */
void clerk_look(struct clerk *c);
