#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "model/ports.h"
#include "ops/inner.h"

/*
 * The licence: DATA/licence.json, checked with the key that this program was built with. It limits
 * how many calls start; a call that is up is never touched, nor is anything that is stored.
 */

static char *path_of(const struct ops *o)
{
	struct buf path = BUF_INIT;

	buf_printf(&path, "%s/licence.json", o->c.data_dir);
	char *p = buf_steal(&path);
	buf_done(&path);
	return p;
}

/* Read at every activation: the file is written by root at boot, perhaps after we started. */
static void read_machine(struct ops *o)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	o->permit.machine[0] = 0;
	if (o->c.machine_file && file_read(o->c.machine_file, 4096, &text, NULL) == 0)
		(void)str_copy(o->permit.machine, sizeof(o->permit.machine),
			       str_trim(buf_str(&text)));
}

static int judge(struct ops *o, struct licence *ret, struct str content, struct err *err)
{
	int r = licence_parse(ret, content, err);

	if (r == 0)
		r = licence_verify(ret, licence_key, err);
	if (r == 0) {
		read_machine(o);
		r = licence_check_machine(ret, str_of(o->permit.machine), err);
	}
	return r;
}

static const struct licence *in_force(const struct ops *o)
{
	return o->permit.is_licensed ? &o->permit.licence : NULL;
}

enum licence_state license_state(const struct ops *o)
{
	return licence_state_at(in_force(o), clock_wall_ms());
}

void license_look(struct ops *o)
{
	const struct licence *l = in_force(o);

	atomic_store(&o->hub->licensed_lines, licence_lines_at(l, clock_wall_ms()));
	atomic_store(&o->hub->licensed_cps, l ? l->cps : 0);
}

void license_open(struct ops *o)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	CLEANUP(free) char *path = path_of(o);

	read_machine(o);
	int r = path ? file_read(path, LICENCE_FILE_MAX, &content, &o->permit.problem) : -ENOMEM;
	if (r == -ENOENT) {
		o->permit.problem = ERR_INIT;
	} else if (r == 0) {
		r = judge(o, &o->permit.licence, buf_str(&content), &o->permit.problem);
		o->permit.is_licensed = r == 0;
	}
	if (r < 0 && r != -ENOENT)
		log_at(LOG_ERR, NULL, "the licence is not used: %s", o->permit.problem.message);
	license_look(o);
}

int license_allows_more(const struct ops *o, struct err *err)
{
	if (license_state(o) != LICENCE_LAPSED)
		return 0;
	return err_set(err, ERR_FORBIDDEN, "", STR(""), "switchctl license activate FILE",
		       "the licence expired more than %d days ago: nothing new can be set up",
		       LICENCE_GRACE_DAYS);
}

/* ---- shown ---- */

static json_t *time_json(ms_t t)
{
	char text[CLOCK_TEXT];

	return t ? json_string(clock_text(t, text)) : json_null();
}

void license_put(const struct ops *o, json_t *object)
{
	const struct licence *l = in_force(o);
	enum licence_state s = license_state(o);
	uint32_t lines = atomic_load(&o->hub->licensed_lines);

	(void)json_object_set_new(object, "licence",
				  json_string(l ? l->customer : licence_state_name(s)));
	(void)json_object_set_new(object, "licence_state", json_string(licence_state_name(s)));
	(void)json_object_set_new(object, "licence_lines",
				  lines ? json_integer(lines) : json_null());
	(void)json_object_set_new(object, "licence_expires", time_json(l ? l->expires : 0));
}

/* Ports of the media that are fewer than the licensed calls take are told of, for a full switch refuses with NoMediaPort. */
static json_t *warning_json(const struct ops *o)
{
	const struct params *p = catalog_world(o->catalog)->params;
	int64_t first = 0, last = 0, cps = atomic_load(&o->hub->licensed_cps);
	int64_t all = param_int(p, PARAM_SS_MAX_CALL_PER_SECOND);
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint32_t lines = atomic_load(&o->hub->licensed_lines);

	param_range(p, PARAM_SS_MEDIA_PORT_RANGE, &first, &last);
	if (all > 0 && (cps == 0 || all < cps))
		cps = all;
	uint64_t needed = ports_needed(lines, (uint64_t)cps), there = (uint64_t)(last - first + 1);
	if (!in_force(o) || needed <= there)
		return json_null();
	buf_printf(&text,
		   "SS_MEDIA_PORT_RANGE has %llu ports; %u relayed calls, of which %lld begin in a "
		   "second, need %llu",
		   (unsigned long long)there, lines, (long long)cps, (unsigned long long)needed);
	return json_of_text(buf_str(&text));
}

int license_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct licence *l = in_force(o);
	const struct permit *p = &o->permit;
	json_t *j = json_object();

	(void)r;
	(void)err;
	if (!j)
		return -ENOMEM;
	license_put(o, j);
	(void)json_object_set_new(j, "machine", l ? json_string(l->machine) : json_null());
	(void)json_object_set_new(j, "this_machine",
				  p->machine[0] ? json_of_text(str_of(p->machine)) : json_null());
	(void)json_object_set_new(j, "cps", l && l->cps ? json_integer(l->cps) : json_null());
	(void)json_object_set_new(j, "warning", warning_json(o));
	(void)json_object_set_new(j, "features", json_string(l ? l->features : ""));
	(void)json_object_set_new(j, "issued", time_json(l ? l->issued : 0));
	(void)json_object_set_new(j, "calls", json_integer(atomic_load(&o->hub->calls)));
	(void)json_object_set_new(j, "development_key", json_boolean(licence_key_is_development));
	(void)json_object_set_new(j, "problem",
				  p->problem.message[0] ? json_string(p->problem.message)
							: json_null());
	*ret = j;
	return 0;
}

/* ---- activated ---- */

static int keep(struct ops *o, struct str content, struct err *err)
{
	CLEANUP(free) char *path = path_of(o);

	return path ? file_write(path, content, 0640, true, err) : -ENOMEM;
}

/* Stored, logged, and in force for the next call. */
static int put_in_force(struct ops *o, struct request *r, const struct licence *l,
			struct str content, struct err *err)
{
	struct permit before = o->permit;
	struct change c = { .changed = CHANGED_PARAMS, .key = l->customer };
	int error = change_begin(o, err);

	if (error < 0)
		return error;
	error = keep(o, content, err);
	c.before = json_object();
	c.after = json_object();
	if (c.before && c.after) {
		license_put(o, c.before);
		o->permit.licence = *l;
		o->permit.is_licensed = true;
		o->permit.problem = ERR_INIT;
		license_look(o);
		license_put(o, c.after);
	} else {
		error = -ENOMEM;
	}
	error = change_end(o, r, &c, error, err);
	if (error < 0)
		o->permit = before;
	license_look(o);
	json_decref(c.before);
	json_decref(c.after);
	return error;
}

int license_activate(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	struct licence l;
	int error = arg_need(r, "content", &content, err);

	if (error == 0)
		error = judge(o, &l, buf_str(&content), err);
	/* A licence that is over would only take something away. */
	if (error == 0 && licence_state_at(&l, clock_wall_ms()) != LICENCE_VALID)
		error = err_set(err, ERR_CONFLICT, "expires", STR(""),
				"a licence that is valid now", "this licence has expired");
	if (error == 0)
		error = put_in_force(o, r, &l, buf_str(&content), err);
	if (error != 0)
		return error;
	log_at(LOG_NOTICE, NULL, "licence of %s in force: %u lines", l.customer, l.lines);
	return license_show(o, r, ret, err);
}
