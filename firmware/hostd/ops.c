#include "ops.h"

#include <errno.h>
#include <string.h>

#include "audit.h"
#include "change.h"
#include "control/args.h"
#include "login.h"
#include "update.h"

typedef int op_fn(struct host *h, struct request *r, struct err *err);

static op_fn *const handlers[OP_COUNT] = {
	[OP_UPDATE_INSTALL] = update_install,
	[OP_UPDATE_STATUS] = update_status,
	[OP_UPDATE_LIST] = update_list,
	[OP_UPDATE_ROLLBACK] = update_rollback,
	[OP_MACHINE_RESET] = machine_reset,
	[OP_MACHINE_RESTART] = machine_restart,
	[OP_AUDIT_SHOW] = audit_show,
	[OP_AUDIT_RUN] = audit_run,
	[OP_LOGIN_SHOW] = login_show,
	[OP_LOGIN_UNLOCK] = login_unlock,
	[OP_MACHINE_SETTINGS] = machine_settings,
	[OP_MACHINE_CHANGE] = machine_change,
	[OP_MACHINE_CONFIRM] = machine_confirm,
	[OP_MACHINE_UNDO] = machine_undo,
};

void ops_request(void *host, struct request *r)
{
	struct err err = ERR_INIT;
	int error = args_admit(r, handlers[r->op] != NULL, &err);

	if (error == 0)
		error = handlers[r->op](host, r, &err);
	if (error < 0)
		request_give_up(r, error, &err);
}
