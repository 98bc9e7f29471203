#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "ops/inner.h"
#include "trace/tracer.h"

enum { HEP_PORT = 9060, MINUTES_MAX = 7 * 24 * 60 };

/* ---- the parameters ---- */

static int read_server(struct str text, struct addr *ret)
{
	int r = addr_parse(text, HEP_PORT, ret);

	return r == 0 && (addr_port(ret) == 0 || addr_is_any(ret) || addr_is_multicast(ret))
		       ? -EINVAL
		       : r;
}

int trace_check(enum param id, struct str text, struct err *err)
{
	struct addr a;

	if (id != PARAM_TRACE_HEP_ADDRESS || text.n == 0 || read_server(text, &a) == 0)
		return 0;
	return err_set(err, ERR_BAD_VALUE, "value", text, "an address, as 192.0.2.9:9060",
		       "nothing can be sent there");
}

void trace_configure(struct ops *o)
{
	const struct params *p = catalog_world(o->catalog)->params;
	struct str text = param_str(p, PARAM_TRACE_HEP_ADDRESS);
	struct addr hep;
	bool has_server = text.n > 0 && read_server(text, &hep) == 0;

	if (!o->hub->tracer)
		return;
	int r = tracer_configure(o->hub->tracer,
				 (size_t)param_int(p, PARAM_SERVER_TRACE_FILE_LENGTH) * 1024,
				 has_server ? &hep : NULL);
	if (r < 0 || (text.n > 0 && !has_server))
		log_at(LOG_WARNING, NULL, "TRACE_HEP_ADDRESS %.*s cannot be used: %s",
		       STR_ARG(text), r < 0 ? strerror(-r) : "no address");
}

/* ---- begin and end ---- */

static int read_filter(const struct request *r, struct trace_filter *f, struct err *err)
{
	static const char *const parts[] = { "address", "number", "gateway", "call_id" };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = 0;

	*f = (struct trace_filter){ 0 };
	for (size_t i = 0; error == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (arg_text(r, parts[i], &text) && text.n)
			error = filter_set(f, parts[i], buf_str(&text), err);
	return error;
}

/* Calls that are up belong to the trace too: the workers say which they are. */
static void ask_for_calls(struct ops *o)
{
	struct ask a = { .kind = ASK_TRACE };

	for (int i = 0; i < o->hub->workers; i++)
		if (ring_push(o->c.asks[i], &a, sizeof(a), NULL, 0))
			ring_flush(o->c.asks[i]);
}

static int answer_state(struct ops *o, json_t **ret)
{
	*ret = tracer_state(o->hub->tracer);
	return *ret ? 0 : -ENOMEM;
}

int trace_start(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct trace_filter f;
	int64_t minutes = 0;
	ms_t now = clock_wall_ms();
	int error = read_filter(r, &f, err);

	if (error == 0)
		error = arg_int(r, "minutes", 1, MINUTES_MAX, 0, &minutes, err);
	if (error < 0)
		return error;
	tracer_begin(o->hub->tracer, &f, now, minutes ? now + minutes * MINUTE_MS : 0);
	ask_for_calls(o);
	log_at(LOG_NOTICE, NULL, "a trace was started by %s", r->actor);
	return answer_state(o, ret);
}

int trace_stop(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)err;
	tracer_end(o->hub->tracer);
	log_at(LOG_NOTICE, NULL, "the trace was stopped by %s", r->actor);
	return answer_state(o, ret);
}

int trace_status(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)r;
	(void)err;
	return answer_state(o, ret);
}

/* ---- what was kept ---- */

int trace_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	int64_t limit;
	int error = arg_int(r, "limit", 1, 1000000, 100, &limit, err);

	if (error < 0)
		return error;
	*ret = tracer_list(o->hub->tracer, (size_t)limit);
	return *ret ? 0 : -ENOMEM;
}

static int read_flag(const struct request *r, const char *name, bool *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	*ret = false;
	if (!arg_text(r, name, &text))
		return 0;
	*ret = str_eq(buf_str(&text), STR("true"));
	return *ret || str_eq(buf_str(&text), STR("false"))
		       ? 0
		       : err_set(err, ERR_BAD_VALUE, name, buf_str(&text), "true or false",
				 "%s is a choice of two", name);
}

static int not_kept(struct str key, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "id", key, "an id or a Call-ID that `trace list` shows",
		       "no message of such a call was kept");
}

int trace_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct ladder_options l;
	int error = arg_need(r, "id", &key, err);

	if (error == 0)
		error = read_flag(r, "full", &l.is_full, err);
	if (error < 0)
		return error;
	error = key.n ? tracer_show(o->hub->tracer, buf_str(&key), &l, &out) : -ENOENT;
	if (error == -ENOENT)
		return not_kept(buf_str(&key), err);
	if (error == 0)
		*ret = json_of_text(buf_str(&out));
	return error;
}

int trace_export(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	CLEANUP(buf_done) struct buf page = BUF_INIT;
	bool with_secrets;
	int64_t from = 0;
	uint64_t next;
	int error = read_flag(r, "secrets", &with_secrets, err);

	if (error == 0)
		error = arg_int(r, "after", 1, INT64_MAX, 0, &from, err);
	if (error < 0)
		return error;
	(void)arg_text(r, "id", &key);
	error = tracer_export(o->hub->tracer, buf_str(&key), with_secrets, (uint64_t)from, &page,
			      &next);
	if (error == -ENOENT)
		return not_kept(buf_str(&key), err);
	return error < 0 ? error : page_of(buf_str(&page), (int64_t)next, ret);
}
