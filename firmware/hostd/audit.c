#include "audit.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "model/json.h"
#include "systemctl.h"

enum { RECORD_MAX = 1024 * 1024 };

int audit_show(struct host *h, struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *record = NULL;
	struct err why = ERR_INIT;
	int e;

	buf_printf(&path, "%s/audit.json", h->options.state);
	if (!buf_cstr(&path))
		return -ENOMEM;
	e = file_read(path.p, RECORD_MAX, &text, &why);
	if (e == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "", STR(""),
			       "`audit run`; it runs every night by itself",
			       "no audit has been made yet");
	if (e == 0)
		record = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(record))
		return err_set(err, ERR_STORE, "", STR(""), "`audit run`, which writes it anew",
			       "the result of the last audit cannot be read");
	request_done(r, TAKE(record));
	return 0;
}

int audit_run(struct host *h, struct request *r, struct err *err)
{
	int e = systemctl("start", "switch-audit.service");

	(void)h;
	if (e != 0)
		return err_set(err, ERR_INTERNAL, "", STR(""), "the night, when it runs by itself",
			       "the audit cannot be started: %s",
			       e < 0 ? strerror(-e) : "systemctl refused");
	log_at(LOG_INFO, NULL, "audit, asked for by %s", r->actor);
	request_done(r, json_pack("{s:b}", "started", true));
	return 0;
}
