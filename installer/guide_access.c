#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/password.h"
#include "base/secret.h"
#include "guide_answers.h"
#include "guide_page.h"
#include "model/licence.h"

/* --- administrator --- */

static const char *const key_names[] = { "ssh_key", "ssh_key_2", "ssh_key_3" };

enum { KEYS = sizeof(key_names) / sizeof(key_names[0]) };

static int check_key(void *ctx, const char *name, struct str text, struct err *err)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct err e = ERR_INIT;

	(void)ctx;
	if (str_is_empty(text))
		return 0;
	int r = a ? answers_add(a, ANSWER_SSH_KEY, text, 0, &e) : -ENOMEM;
	if (r == -EINVAL)
		(void)err_set(err, e.code, name, text, e.accepted, "this is no SSH key");
	return r;
}

static bool has_access(const struct guide *g)
{
	return answers_is_set(g->setup->answers, ANSWER_ADMIN_PASSWORD_HASH) ||
	       place_has(&g->setup->place, "/etc/tandem/admin.hash");
}

static int take_password(struct guide *g, struct form *f, struct err *err)
{
	struct str password = form_value(f, "password");
	char hash[PASSWORD_HASH_TEXT];

	if (str_is_empty(password) && has_access(g))
		return 0;
	const char *weak = password_weakness(password, STR("admin"));
	if (weak)
		return err_set(err, ERR_BAD_VALUE, "password", STR(""),
			       "10 to 128 characters that are hard to guess", "the password is %s",
			       weak);
	if (!secret_eq(password, form_value(f, "again")))
		return err_set(err, ERR_BAD_VALUE, "again", STR(""), "the same password twice",
			       "the passwords differ");
	int r = password_hash(password, hash);
	if (r == 0)
		r = answers_set(g->setup->answers, ANSWER_ADMIN_PASSWORD_HASH, str_of(hash), 0,
				err);
	return r;
}

static int take_administrator(void *ctx, struct form *f, struct err *err)
{
	struct guide_page *p = ctx;
	struct answers *a = p->guide->setup->answers;

	int r = take_password(p->guide, f, err);
	if (r == 0)
		r = answers_set(a, ANSWER_SSH_PORT, form_value(f, "ssh_port"), 0, err);
	if (r < 0)
		return r;
	answers_reset(a, ANSWER_SSH_KEY);
	for (int i = 0; r == 0 && i < KEYS; i++) {
		struct str key = form_value(f, key_names[i]);

		if (!str_is_empty(key))
			r = answers_add(a, ANSWER_SSH_KEY, key, 0, err);
	}
	return r;
}

static int add_administrator(struct guide_page *p)
{
	const struct answers *a = p->guide->setup->answers;
	bool is_there = has_access(p->guide);
	const struct form_item password = {
		.name = "password",
		.kind = FORM_SECRET,
		.help = is_there ? "One is set; leave this empty to keep it"
				 : "For the console of this machine",
		.accepts = "10 to 128 characters; three of small letters, capitals, digits, others",
		.is_required = !is_there,
		.max = PASSWORD_MAX,
	};
	const struct form_item again = { .name = "again",
					 .label = "password again",
					 .kind = FORM_SECRET,
					 .help = "The same, to be sure of it",
					 .max = PASSWORD_MAX };
	int r = form_add(p->form, &password, STR(""));

	if (r == 0)
		r = form_add(p->form, &again, STR(""));
	if (r == 0)
		r = guide_answers_add_one(p->guide, p->form, ANSWER_SSH_PORT);
	for (size_t i = 0; r == 0 && i < KEYS; i++) {
		const struct form_item key = {
			.name = key_names[i],
			.help = answer_infos[ANSWER_SSH_KEY].help,
			.accepts = "ssh-ed25519 AAAA... name, on one line, without options",
			.check = check_key,
			.max = 8192,
		};
		bool has = i < answers_count(a, ANSWER_SSH_KEY);

		r = form_add(p->form, &key, has ? answers_item(a, ANSWER_SSH_KEY, i) : STR(""));
	}
	return r;
}

int guide_administrator(struct guide *g, struct err *err)
{
	CLEANUP(guide_page_done) struct guide_page p = { 0 };

	(void)err;
	int r = guide_page_open(&p, g, "Administrator", "administrator");
	if (r == 0)
		r = add_administrator(&p);
	if (r < 0)
		return r;
	guide_page_say(&p,
		       STR("The password opens this console. SSH takes keys only, as user admin; "
			   "without a key there is no way in by SSH."));
	return guide_page_run(&p, take_administrator);
}

/* --- licence --- */

static int read_licence(struct str given, struct buf *text, struct err *err)
{
	const struct place here = { "" };
	CLEANUP(free) char *path = str_dup(given);

	if (str_has_prefix(given, STR("{"))) {
		buf_put(text, given);
		return buf_error(text);
	}
	int r = path ? place_read(&here, path, LICENCE_FILE_MAX, text) : -ENOMEM;
	if (r < 0 && r != -ENOMEM)
		return err_set(err, ERR_NOT_FOUND, "licence", given,
			       "the path of a licence file, or its text", "it cannot be read: %s",
			       strerror(-r));
	return r;
}

static int judge_licence(const struct guide *g, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf binding = BUF_INIT;
	struct err e = ERR_INIT;
	struct licence l;

	machine_binding(&g->setup->place, &binding);
	int r = licence_parse(&l, text, &e);
	if (r == 0)
		r = licence_verify(&l, licence_key, &e);
	if (r == 0 && binding.n > 0)
		r = licence_check_machine(&l, buf_str(&binding), &e);
	if (r == -EINVAL)
		(void)err_set(err, e.code, "licence", STR(""), e.accepted, "%s", e.message);
	return r;
}

static int take_licence(void *ctx, struct form *f, struct err *err)
{
	struct guide_page *p = ctx;
	struct setup *s = p->guide->setup;
	struct str given = form_value(f, "licence");
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (str_is_empty(given) || str_eq(given, STR(SETUP_LICENCE)))
		return answers_set(s->answers, ANSWER_LICENCE, given, 0, err);
	int r = read_licence(given, &text, err);
	if (r == 0)
		r = judge_licence(p->guide, buf_str(&text), err);
	if (r == 0)
		r = place_write(&s->place, SETUP_LICENCE, 0600, buf_str(&text));
	if (r < 0)
		return r;
	return answers_set(s->answers, ANSWER_LICENCE, STR(SETUP_LICENCE), 0, err);
}

int guide_licence(struct guide *g, struct err *err)
{
	static const struct form_item licence = {
		.name = "licence",
		.help = "The path of the licence file, or its text pasted here; empty: unlicensed",
		.accepts = "a path, or the text of a licence in one line",
		.max = LICENCE_FILE_MAX,
	};
	static const struct form_item machine = { .name = "binding",
						  .label = "this machine",
						  .kind = FORM_FIXED };
	CLEANUP(guide_page_done) struct guide_page p = { 0 };
	CLEANUP(buf_done) struct buf binding = BUF_INIT;

	(void)err;
	int r = guide_page_open(&p, g, "Licence", "licence");
	machine_binding(&g->setup->place, &binding);
	if (binding.n == 0)
		buf_putz(&binding, "(not known here)");
	if (r == 0)
		r = form_add(p.form, &machine, buf_str(&binding));
	if (r == 0)
		r = form_add(p.form, &licence, answers_str(g->setup->answers, ANSWER_LICENCE));
	if (r < 0)
		return r;
	guide_page_say(&p,
		       STR("A licence is made for one machine; its issuer wants the line below. "
			   "Without one everything works, without a limit, and every screen says "
			   "UNLICENSED. It can be entered later: switchctl license activate."));
	return guide_page_run(&p, take_licence);
}
