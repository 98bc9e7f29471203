#include "ops.h"

#include <errno.h>
#include <string.h>

#include "audit.h"
#include "control/args.h"
#include "update.h"

typedef int op_fn(struct host *h, struct request *r, struct err *err);

static op_fn *const handlers[OP_COUNT] = {
	[OP_UPDATE_INSTALL] = update_install, [OP_UPDATE_STATUS] = update_status,
	[OP_UPDATE_LIST] = update_list,       [OP_UPDATE_ROLLBACK] = update_rollback,
	[OP_MACHINE_RESET] = machine_reset,   [OP_MACHINE_RESTART] = machine_restart,
	[OP_AUDIT_SHOW] = audit_show,         [OP_AUDIT_RUN] = audit_run,
};

void ops_request(void *host, struct request *r)
{
	struct err err = ERR_INIT;
	int error = args_check(r, &err);

	if (error == 0 && !handlers[r->op])
		error = err_set(&err, ERR_UNKNOWN_OPERATION, "", str_of(op_infos[r->op].name),
				"switchctl, which knows whom to ask",
				"this is asked of %s, at its own socket", op_infos[r->op].owner);
	if (error == 0)
		error = handlers[r->op](host, r, &err);
	if (error == 0)
		return;
	(void)err_set(&err, ERR_INTERNAL, "", STR(""), "", "%s could not be done: %s",
		      op_infos[r->op].name, strerror(-error));
	request_fail(r, &err);
}
