#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "model/answer_check.h"
#include "ops/inner.h"

/*
 * Time servers: the machine's time service (chronyd) reads them from a file that is written here, since the parameter is the one
 * place that says which they are. One server alone cannot be doubted, so beside a single one the image's own are asked, too.
 */

enum { ENOUGH = 2 };

static const char OWN[] = "pool 0.debian.pool.ntp.org iburst maxsources 2\n"
			  "pool 1.debian.pool.ntp.org iburst maxsources 2\n";

int time_servers_check(enum param id, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (id != PARAM_SERVER_NTP_SERVER || str_is_empty(text))
		return 0;
	/* The answer of set-up that becomes this parameter. */
	int r = answer_check(ANSWER_NTP, text, &form, &ignored);
	if (r != -EINVAL)
		return r;
	return err_set(err, ERR_BAD_VALUE, "value", text, "at most 8 names or addresses",
		       "these are no time servers");
}

static void put_servers(struct str list, struct buf *out)
{
	struct str one;
	int n = 0;

	buf_putz(out, "# Written by switchd from SERVER_NTP_SERVER.\n");
	while (str_split(&list, ',', &one)) {
		buf_printf(out, "server %.*s iburst%s\n", STR_ARG(one), n == 0 ? " prefer" : "");
		n++;
	}
	if (n < ENOUGH)
		buf_putz(out, OWN);
}

void time_servers_look(struct ops *o)
{
	struct str list = param_str(catalog_world(o->catalog)->params, PARAM_SERVER_NTP_SERVER);
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	int r;

	if (!o->c.time_servers || (o->time_servers && str_eq(list, str_of(o->time_servers))))
		return;
	put_servers(list, &text);
	free(o->time_servers);
	o->time_servers = str_dup(list);
	r = o->time_servers ? buf_error(&text) : -ENOMEM;
	if (r == 0)
		r = file_write(o->c.time_servers, buf_str(&text), 0644, true, &err);
	if (r < 0)
		log_at(LOG_WARNING, NULL, "the time servers of SERVER_NTP_SERVER do not act: %s",
		       err.message[0] ? err.message : strerror(-r));
}
