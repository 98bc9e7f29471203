#include "store/records.h"

#include <errno.h>
#include <string.h>

enum { BUSY_MS = 1000 };

int records_open_ledger(struct db **ret, const char *data_dir)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/ledger.db", data_dir);
	return buf_cstr(&path) ? db_open(ret, path.p, DB_READ, BUSY_MS) : -ENOMEM;
}

int records_open(struct records *r, const char *data_dir)
{
	*r = (struct records){ .dir = BUF_INIT };
	buf_printf(&r->dir, "%s/cdr", data_dir);
	return buf_cstr(&r->dir) ? records_open_ledger(&r->ledger, data_dir) : -ENOMEM;
}

void records_close(struct records *r)
{
	db_close(r->ledger);
	buf_done(&r->dir);
}

int records_unreadable(const char *what, int error, struct err *err)
{
	return err_set(err, ERR_STORE, "", STR(""), "try again", "%s cannot be read: %s", what,
		       strerror(-error));
}
