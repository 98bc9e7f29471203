#include "commands.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/word.h"
#include "profile.h"
#include "program.h"

enum { WORDS_MAX = 64, COMMAND_MS = 60000 };

struct command {
	char *word[WORDS_MAX];
	size_t words;
};

static void command_done_cleanup(struct command *c)
{
	for (size_t i = 0; i < c->words; i++)
		free(c->word[i]);
}

static int add_word(struct command *c, struct str word)
{
	/* Two places stay free: a request key, and the NULL behind the last one. */
	if (c->words >= WORDS_MAX - 8)
		return -E2BIG;
	c->word[c->words] = str_dup(word);
	if (!c->word[c->words])
		return -ENOMEM;
	c->words++;
	return 0;
}

/* --- payments --- */

static bool has_word(const struct command *c, struct str prefix)
{
	for (size_t i = 0; i < c->words; i++) {
		if (str_has_prefix(str_of(c->word[i]), prefix))
			return true;
	}
	return false;
}

/* The same line is the same payment in whatever file it stands; the second time in one, another. */
static int add_request_key(struct command *c, struct str line, uint32_t repetition)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	unsigned char digest[32];
	size_t n = sizeof(digest);

	if (c->words < 2 || strcmp(c->word[0], "account") != 0 ||
	    strcmp(c->word[1], "recharge") != 0 || has_word(c, STR("request_key=")))
		return 0;
	buf_printf(&text, "%u %.*s", repetition, STR_ARG(line));
	if (buf_error(&text) < 0 || !EVP_Q_digest(NULL, "SHA256", NULL, text.p, text.n, digest, &n))
		return -ENOMEM;
	buf_putz(&key, "request_key=setup-");
	buf_put_hex(&key, digest, 16);
	return buf_error(&key) < 0 ? -ENOMEM : add_word(c, buf_str(&key));
}

static int split(struct command *c, struct str line, uint32_t repetition)
{
	CLEANUP(buf_done) struct buf word = BUF_INIT;
	struct str rest = line;
	int r;

	while ((r = word_next(&rest, &word)) > 0) {
		if (c->words == 0 && str_eq(buf_str(&word), STR("switchctl")))
			continue; /* as it is written on a command line */
		r = add_word(c, buf_str(&word));
		if (r < 0)
			return r;
	}
	return r < 0 ? r : add_request_key(c, line, repetition);
}

/* --- running --- */

/* Only the first words of the line are repeated: further on there may be a password. */
static struct str head_of(struct str line)
{
	ptrdiff_t end = str_chr(line, '=');

	return end < 0 ? line : str_head(line, (size_t)end);
}

static int refuse(struct err *err, struct str line, uint32_t number, struct str said)
{
	struct str first;

	if (!str_line(&said, &first))
		first = STR("no word of why");
	return err_set(err, ERR_BAD_VALUE, "ctl", head_of(line), NULL, "%s%.0u: %.*s",
		       number ? "line " : "a line of the profile", number, STR_ARG(first));
}

struct task {
	struct str text;
	uint32_t line;       /* of the answers file, for the error; 0 = one of ours */
	uint32_t repetition; /* how many lines before it say the same */
};

static int run_one(const struct setup *s, const struct task *t, struct err *err)
{
	CLEANUP(command_done) struct command c = { 0 };
	CLEANUP(buf_done) struct buf said = BUF_INIT;
	const char *argv[WORDS_MAX] = { s->ctl, "-s", s->control, "--" };
	enum { FIXED = 4 };

	int r = split(&c, t->text, t->repetition);
	if (r == -E2BIG)
		return refuse(err, t->text, t->line, STR("more than 56 words"));
	if (r < 0)
		return r;
	for (size_t i = 0; i < c.words; i++)
		argv[FIXED + i] = c.word[i];
	r = program_run(argv, COMMAND_MS, &said);
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot run %s", s->ctl);
	if (r == 0)
		tell_say(&s->tell, TELL_CHANGE, "%s %s", c.words ? c.word[0] : "",
			 c.words > 1 ? c.word[1] : "");
	else if (str_find(buf_str(&said), STR("(exists)")) >= 0)
		tell_say(&s->tell, TELL_NOTE, "%s %s: is there already", c.word[0],
			 c.words > 1 ? c.word[1] : "");
	else
		return refuse(err, t->text, t->line, buf_str(&said));
	return 0;
}

static void put_parameters(const struct setup *s, struct buf *out)
{
	const struct profile *p = profile_find(answers_str(s->answers, ANSWER_PROFILE));

	if (answers_is_set(s->answers, ANSWER_LINES))
		buf_printf(out, "parameter set SS_MAX_CONCURRENT_CALL %lld\n",
			   (long long)answers_int(s->answers, ANSWER_LINES));
	if (answers_is_set(s->answers, ANSWER_CPS))
		buf_printf(out, "parameter set SS_MAX_CALL_PER_SECOND %lld\n",
			   (long long)answers_int(s->answers, ANSWER_CPS));
	if (answers_is_set(s->answers, ANSWER_NTP)) {
		struct str servers = answers_str(s->answers, ANSWER_NTP);

		buf_printf(out, "parameter set SERVER_NTP_SERVER %.*s\n", STR_ARG(servers));
	}
	if (p)
		profile_put_commands(p, out);
}

static int run_next(const struct setup *s, struct state *st, const struct task *t, uint32_t number,
		    struct err *err)
{
	if (number < st->commands)
		return 0;
	int r = run_one(s, t, err);
	if (r < 0)
		return r;
	st->commands = number + 1;
	return state_save(st, s, err);
}

static uint32_t repetition_of(const struct answers *a, size_t i)
{
	uint32_t n = 0;

	for (size_t k = 0; k < i; k++)
		n += str_eq(answers_item(a, ANSWER_CTL, k), answers_item(a, ANSWER_CTL, i));
	return n;
}

int commands_run(const struct setup *s, struct state *st, struct err *err)
{
	CLEANUP(buf_done) struct buf ours = BUF_INIT;
	const struct answers *a = s->answers;
	struct str text, rest;
	uint32_t number = 0;

	tell_say(&s->tell, TELL_STEP, "entering parameters, customers, vendors and rates");
	put_parameters(s, &ours);
	int r = buf_error(&ours);
	rest = buf_str(&ours);
	while (r == 0 && str_line(&rest, &text))
		r = run_next(s, st, &(struct task){ .text = text }, number++, err);
	for (size_t i = 0; r == 0 && i < answers_count(a, ANSWER_CTL); i++) {
		const struct task t = { answers_item(a, ANSWER_CTL, i),
					answers_line(a, ANSWER_CTL, i), repetition_of(a, i) };

		r = run_next(s, st, &t, number++, err);
	}
	return r;
}
