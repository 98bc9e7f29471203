#include "state.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "model/answers_file.h"

#define STATE_FILE SETUP_DIR "/state"

static int make_id(const struct setup *s, char id[STATE_ID])
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct buf hex = buf_fixed(id, STATE_ID - 1);
	unsigned char digest[32];
	size_t n = sizeof(digest);

	answers_print(s->answers, false, &text);
	if (buf_error(&text) < 0 || !EVP_Q_digest(NULL, "SHA256", NULL, text.p, text.n, digest, &n))
		return -ENOMEM;
	buf_put_hex(&hex, digest, n);
	id[hex.n] = '\0';
	return 0;
}

static void take_line(struct state *st, struct str line)
{
	struct str key;
	uint32_t n;

	if (!str_split(&line, '=', &key) || str_to_u32(str_trim(line), UINT32_MAX, &n) < 0)
		return;
	if (str_eq(key, STR("commands")))
		st->commands = n;
	if (str_eq(key, STR("golive")))
		st->is_golive_passed = n == 1;
}

int state_load(struct state *st, const struct setup *s)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str line, rest;

	*st = (struct state){ 0 };
	int r = make_id(s, st->id);
	if (r < 0)
		return r;
	if (place_read(&s->place, STATE_FILE, 4096, &text) < 0)
		return 0;
	rest = buf_str(&text);
	if (!str_line(&rest, &line) || !str_eq(line, str_of(st->id)))
		return 0;
	while (str_line(&rest, &line))
		take_line(st, line);
	return 0;
}

int state_save(const struct state *st, const struct setup *s, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&text, "%s\ncommands=%u\ngolive=%d\n", st->id, st->commands,
		   st->is_golive_passed);
	int r = buf_error(&text);
	if (r == 0)
		r = place_write(&s->place, STATE_FILE, 0600, buf_str(&text));
	return r < 0 ? SETUP_FAIL(err, r, "cannot write " STATE_FILE) : 0;
}
