#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "complete.h"
#include "control/client.h"
#include "control/sock.h"
#include "help.h"
#include "model/json.h"
#include "model/param.h"
#include "model/text.h"
#include "options.h"
#include "save.h"
#include "send.h"
#include "show.h"
#include "words.h"

static void put_part(struct buf *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	buf_printf(out, "  %-9s ", name);
	text_put(out, str_of(text));
	buf_putc(out, '\n');
}

/*
 * "switchctl: what is wrong (code)" and, each on its line, where, what was given and what would
 * do.
 */
static int fail(int status, const struct err *e, FILE *err)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_putz(&out, "switchctl: ");
	text_put(&out, str_of(e->message));
	buf_printf(&out, " (%s)\n", err_code_name(e->code));
	put_part(&out, "field:", e->field);
	put_part(&out, "given:", e->given);
	put_part(&out, "accepted:", e->accepted);
	if (status == RUN_USAGE && e->code == ERR_USAGE)
		buf_putz(&out, OPTIONS_USAGE "\n");
	(void)fwrite(out.p, 1, out.n, err);
	return status;
}

static int fail_errno(int status, int r, const char *what, const char *where, const char *advice,
		      FILE *err)
{
	struct err e = ERR_INIT;

	(void)err_set(&e, status == RUN_UNREACHABLE ? ERR_STORE : ERR_INTERNAL, "", str_of(where),
		      advice, "%s: %s", what, strerror(-r));
	return fail(status, &e, err);
}

/* r of something that prints: 0, -EINVAL with *e, or short of memory. */
static int finish(int r, int status, const struct buf *text, const struct err *e, FILE *out,
		  FILE *err)
{
	if (r == -EINVAL)
		return fail(RUN_USAGE, e, err);
	if (r == 0 && (fwrite(text->p, 1, text->n, out) != text->n || fflush(out) != 0))
		r = -errno;
	if (r < 0)
		return fail_errno(RUN_REFUSED, r, "cannot print the answer", "", NULL, err);
	return status;
}

/* The program behind the name that an operation's owner has. */
static const char *daemon_of(const struct words *w)
{
	const char *owner = op_infos[w->op].owner;

	return strcmp(owner, "lockoutd") == 0 ? "switch-lockoutd"
	       : strcmp(owner, "hostd") == 0  ? "switch-hostd"
					      : owner;
}

static int unreachable(int r, const struct words *w, const char *path, FILE *err)
{
	CLEANUP(buf_done) struct buf what = BUF_INIT;
	CLEANUP(buf_done) struct buf advice = BUF_INIT;

	buf_printf(&what, "%s cannot be reached", daemon_of(w));
	buf_printf(&advice,
		   r == -EACCES ? "root, or a member of group tandem-admin"
				: "the socket of a running daemon: is %s up? -s PATH names another",
		   daemon_of(w));
	return fail_errno(RUN_UNREACHABLE, r, buf_cstr(&what), path, buf_cstr(&advice), err);
}

/* 0 with *ret, or the exit status. */
static int call(const char *path, const struct words *w, json_t **ret, FILE *err)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err e = ERR_INIT;

	int r = client_open(&c, path);
	if (r < 0)
		return unreachable(r, w, path, err);
	r = w->send.p ? send_file(c, w, ret, &e)
		      : client_call(c, op_infos[w->op].name, w->params, ret, &e);
	if (r == -EINVAL)
		return fail(RUN_REFUSED, &e, err);
	if (r < 0)
		return fail_errno(RUN_UNREACHABLE, r, "the connection was lost", path,
				  "whether the operation was done is not known: look before "
				  "repeating it",
				  err);
	return 0;
}

/* SERVER_DISPLAY_MONEY_PRECISION of the switch; -1: it does not say, and amounts are shown whole. */
static int decimals_of(const char *path)
{
	CLEANUP(client_close) struct client *c = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(json_decref)
	json_t *params =
		json_pack("{s:s}", "name", param_infos[PARAM_SERVER_DISPLAY_MONEY_PRECISION].name);
	struct err ignored = ERR_INIT;
	const json_t *value = NULL;
	int64_t decimals = -1;

	if (params && client_open(&c, path) == 0 &&
	    client_call(c, op_infos[OP_PARAMETER_SHOW].name, params, &answer, &ignored) == 0)
		value = json_object_get(answer, "value");
	(void)str_to_i64(str_of(json_string_value(value)), 0, 8, &decimals);
	return (int)decimals;
}

/* Amounts of a list for people; *chosen may become a copy. */
static int round_amounts(const char *path, const struct op_info *op, json_t **chosen)
{
	const struct entity *e = entity_find(str_of(op->entity));
	int decimals = json_is_array(*chosen) && json_array_size(*chosen) && text_has_amounts(e)
			       ? decimals_of(path)
			       : -1;
	json_t *copy = decimals < 0 ? NULL : json_deep_copy(*chosen);

	if (decimals < 0)
		return 0;
	if (!copy)
		return -ENOMEM;
	json_decref(*chosen);
	*chosen = copy;
	return text_round_amounts(copy, e, decimals);
}

static int print(const struct options *o, const char *path, const struct words *w,
		 const json_t *result, FILE *out, FILE *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *chosen = NULL;
	const struct op_info *op = &op_infos[w->op];
	struct err e = ERR_INIT;

	int r = show_choose(&chosen, result, w->columns, &e);
	if (r == 0 && !o->is_json)
		r = round_amounts(path, op, &chosen);
	if (r == 0)
		r = o->is_json ? show_json(&text, chosen)
			       : show_text(&text, op, chosen, w->columns.n > 0);
	return finish(r, show_has_differences(op, result) ? RUN_REFUSED : RUN_DONE, &text, &e, out,
		      err);
}

/* Page after page into the file; what is printed is its name and length, of standard output ("-") nothing. */
static int fetch(const char *path, const struct words *w, json_t **ret, FILE *out, FILE *err)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err e = ERR_INIT;

	int r = client_open(&c, path);
	if (r < 0)
		return unreachable(r, w, path, err);
	r = save_answer(c, w, out, ret, &e);
	if (r == -EINVAL)
		return fail(RUN_REFUSED, &e, err);
	if (r < 0)
		return fail_errno(RUN_UNREACHABLE, r, "the connection was lost", path, NULL, err);
	return RUN_DONE;
}

static int ask(const struct options *o, FILE *out, FILE *err)
{
	CLEANUP(words_done) struct words w = { .op = OP_COUNT };
	CLEANUP(json_decref) json_t *result = NULL;
	CLEANUP(free) char *path = NULL;
	struct err e = ERR_INIT;

	int r = words_parse(&w, o->word, o->words, &e);
	if (r == -EINVAL || r == -ENOENT)
		return fail(r == -EINVAL ? RUN_USAGE : RUN_REFUSED, &e, err);
	if (r == 0)
		r = sock_path_of(o->socket, op_infos[w.op].owner, &path);
	if (r < 0)
		return fail_errno(RUN_REFUSED, r, "cannot ask", "", NULL, err);

	int status = w.save.p ? fetch(path, &w, &result, out, err) : call(path, &w, &result, err);
	if (w.save.p && !result)
		return status;
	return status ? status : print(o, path, &w, result, out, err);
}

static int say(const struct options *o, FILE *out, FILE *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *first = o->words ? o->word[0] : "";
	struct err e = ERR_INIT;
	int r = 0;

	if (o->is_version)
		buf_putz(&text, "switchctl " TANDEM_VERSION "\n");
	else if (o->is_help)
		r = help_put(&text, NULL, 0, &e);
	else if (strcmp(first, "help") == 0)
		r = help_put(&text, o->word + 1, o->words - 1, &e);
	else if (strcmp(first, "completion") == 0)
		r = complete_script(&text, o->word + 1, o->words - 1, &e);
	else
		r = complete(&text, o->word + 1, o->words - 1);
	if (r == 0)
		r = buf_error(&text);
	return finish(r, RUN_DONE, &text, &e, out, err);
}

int run(int argc, const char *const *argv, FILE *out, FILE *err)
{
	static const char *const ours[] = { "help", "completion", "complete" };
	CLEANUP(options_done) struct options o = { 0 };
	struct err e = ERR_INIT;

	int r = options_parse(&o, argc, argv, &e);
	if (r == -EINVAL)
		return fail(RUN_USAGE, &e, err);
	if (r < 0)
		return fail_errno(RUN_REFUSED, r, "cannot start", "", NULL, err);

	bool is_ours = o.is_help || o.is_version;
	for (size_t i = 0; o.words && i < sizeof(ours) / sizeof(ours[0]); i++)
		is_ours |= strcmp(o.word[0], ours[i]) == 0;
	return is_ours ? say(&o, out, err) : ask(&o, out, err);
}
