#include "model/licence.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/signature.h"
#include "model/json.h"

#include "licence_key.h"

/* An Ed25519 signature is checked with the key alone; there is no secret here. */
const unsigned char licence_key[LICENCE_KEY] = { LICENCE_KEY_BYTES };
const bool licence_key_is_development = LICENCE_KEY_IS_DEVELOPMENT;

#define DAY_MS ((ms_t)86400000)

/* ---- reading ---- */

static int wrong(struct err *err, const char *field, const char *accepted)
{
	return err_set(err, ERR_BAD_VALUE, field, STR(""), accepted,
		       "the licence file's %s is not what it should be", field);
}

static struct str text_of(const json_t *v)
{
	return str_n(json_string_value(v), json_string_length(v));
}

static int take_text(const json_t *o, const char *name, char *to, size_t size, struct err *err)
{
	const json_t *v = json_object_get(o, name);
	struct str s = text_of(v);

	if (!json_is_string(v) || s.n == 0 || str_has_control(s) || str_copy(to, size, s) < 0)
		return wrong(err, name, "a text without control characters");
	return 0;
}

static int take_number(const json_t *o, const char *name, uint32_t *to, struct err *err)
{
	const json_t *v = json_object_get(o, name);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || n > LICENCE_LINES_MAX)
		return wrong(err, name, "a whole number up to 1000000");
	*to = (uint32_t)n;
	return 0;
}

static int take_time(const json_t *o, const char *name, bool may_be_null, ms_t *to, struct err *err)
{
	const json_t *v = json_object_get(o, name);

	*to = 0;
	if (may_be_null && json_is_null(v))
		return 0;
	if (!json_is_string(v) || clock_parse(text_of(v), to) < 0 || *to == 0)
		return wrong(err, name, "a time such as 2026-12-01T00:00:00Z");
	return 0;
}

static int take_features(const json_t *o, struct licence *l, struct err *err)
{
	const json_t *list = json_object_get(o, "features");
	struct buf out = buf_fixed(l->features, sizeof(l->features) - 1);

	if (!json_is_array(list) || json_array_size(list) > LICENCE_FEATURES_MAX)
		return wrong(err, "features", "an array of at most 16 words");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str word = text_of(json_array_get(list, i));

		/* A comma inside would let two licences share one canonical text. */
		if (word.n == 0 || str_chr(word, ',') >= 0)
			return wrong(err, "features", "words of a-z, 0-9 and '-'");
		if (i > 0)
			buf_putc(&out, ',');
		buf_put(&out, word);
	}
	if (buf_error(&out) < 0)
		return wrong(err, "features", "at most 512 characters");
	l->features[out.n] = 0;
	return 0;
}

static int take_signature(const json_t *o, struct licence *l, struct err *err)
{
	struct str s = text_of(json_object_get(o, "signature"));

	if (str_hex(s, l->signature, sizeof(l->signature)) < 0)
		return wrong(err, "signature", "128 hex digits");
	return 0;
}

static int check_members(const json_t *o, struct err *err)
{
	static const char *const known[] = { "customer", "machine", "lines",   "cps",
					     "features", "issued",  "expires", "signature" };
	const size_t count = sizeof(known) / sizeof(known[0]);

	for (size_t i = 0; i < count; i++) {
		if (!json_object_get(o, known[i]))
			return err_set(err, ERR_MISSING_FIELD, known[i], STR(""),
				       "a file made by switch-license",
				       "the licence file does not say %s", known[i]);
	}
	if (json_object_size(o) != count)
		return err_set(err, ERR_UNKNOWN_FIELD, "", STR(""), "a file made by switch-license",
			       "the licence file says more than a licence does");
	return 0;
}

static bool is_features(const char *s)
{
	bool is_start = true;

	for (; *s; s++) {
		if (*s == ',' ? is_start
			      : !islower((unsigned char)*s) && *s != '-' &&
					!isdigit((unsigned char)*s))
			return false;
		is_start = *s == ',';
	}
	return true;
}

static bool is_binding(const char *s)
{
	for (int i = 0; i < LICENCE_BINDING - 1; i++) {
		if (str_hex_digit(s[i]) < 0)
			return false;
	}
	return s[LICENCE_BINDING - 1] == 0;
}

int licence_check(const struct licence *l, struct err *err)
{
	if (l->customer[0] == 0 || str_has_control(str_of(l->customer)))
		return wrong(err, "customer", "a name of at most 128 characters");
	if (strcmp(l->machine, LICENCE_ANY_MACHINE) != 0 && !is_binding(l->machine))
		return wrong(err, "machine",
			     "64 hex digits as `switch-license machine` prints them, or any");
	if (l->lines == 0 || l->lines > LICENCE_LINES_MAX)
		return wrong(err, "lines", "1 to 1000000");
	if (!is_features(l->features))
		return wrong(err, "features", "words of a-z, 0-9 and '-'");
	if (l->issued <= 0)
		return wrong(err, "issued", "a time such as 2026-12-01T00:00:00Z");
	if (l->expires != 0 && l->expires <= l->issued)
		return wrong(err, "expires", "a time after issued");
	return 0;
}

static int take_members(const json_t *o, struct licence *l, struct err *err)
{
	int r = check_members(o, err);

	if (r == 0)
		r = take_text(o, "customer", l->customer, sizeof(l->customer), err);
	if (r == 0)
		r = take_text(o, "machine", l->machine, sizeof(l->machine), err);
	if (r == 0)
		r = take_number(o, "lines", &l->lines, err);
	if (r == 0)
		r = take_number(o, "cps", &l->cps, err);
	if (r == 0)
		r = take_features(o, l, err);
	if (r == 0)
		r = take_time(o, "issued", false, &l->issued, err);
	if (r == 0)
		r = take_time(o, "expires", true, &l->expires, err);
	if (r == 0)
		r = take_signature(o, l, err);
	return r == 0 ? licence_check(l, err) : r;
}

int licence_parse(struct licence *ret, struct str text, struct err *err)
{
	struct licence l = { 0 };
	json_error_t why;

	if (text.n == 0 || text.n > LICENCE_FILE_MAX)
		return err_set(err, ERR_SYNTAX, "", STR(""), "a file made by switch-license",
			       "a licence file has 1 to %d bytes, this has %zu", LICENCE_FILE_MAX,
			       text.n);

	CLEANUP(json_decref)
	json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (!o)
		return err_set(err, ERR_SYNTAX, "", STR(""), "a file made by switch-license",
			       "the licence file is not JSON: line %d: %s", why.line, why.text);
	if (!json_is_object(o))
		return err_set(err, ERR_SYNTAX, "", STR(""), "a file made by switch-license",
			       "the licence file is not a JSON object");
	int r = take_members(o, &l, err);
	if (r == 0)
		*ret = l;
	return r;
}

/* ---- writing ---- */

void licence_put_canonical(const struct licence *l, struct buf *out)
{
	buf_printf(out,
		   "tandem-licence-1\ncustomer=%s\nmachine=%s\nlines=%u\ncps=%u\nfeatures=%s\n",
		   l->customer, l->machine, l->lines, l->cps, l->features);
	buf_putz(out, "issued=");
	buf_put_time(out, l->issued);
	buf_putz(out, "\nexpires=");
	if (l->expires)
		buf_put_time(out, l->expires);
	else
		buf_putz(out, "never");
	buf_putc(out, '\n');
}

static void put_features(struct buf *out, struct str rest)
{
	struct str word;

	for (int i = 0; str_split(&rest, ',', &word); i++) {
		buf_putz(out, i ? ", " : "");
		buf_put_quoted(out, word);
	}
}

void licence_put_file(const struct licence *l, struct buf *out)
{
	char issued[CLOCK_TEXT], expires[CLOCK_TEXT];

	buf_putz(out, "{\n  \"customer\": ");
	buf_put_quoted(out, str_of(l->customer));
	buf_printf(out, ",\n  \"machine\": \"%s\",\n  \"lines\": %u,\n  \"cps\": %u", l->machine,
		   l->lines, l->cps);
	buf_putz(out, ",\n  \"features\": [");
	put_features(out, str_of(l->features));
	buf_printf(out,
		   "],\n  \"issued\": \"%s\",\n  \"expires\": ", clock_text(l->issued, issued));
	if (l->expires)
		buf_put_quoted(out, str_of(clock_text(l->expires, expires)));
	else
		buf_putz(out, "null");
	buf_putz(out, ",\n  \"signature\": \"");
	buf_put_hex(out, l->signature, sizeof(l->signature));
	buf_putz(out, "\"\n}\n");
}

/* ---- judging ---- */

int licence_verify(const struct licence *l, const unsigned char key[LICENCE_KEY], struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	licence_put_canonical(l, &text);
	if (buf_error(&text) < 0)
		return buf_error(&text);

	int r = signature_check(buf_str(&text), l->signature, key);
	if (r != -EBADMSG)
		return r;
	return err_set(err, ERR_FORBIDDEN, "signature", STR(""),
		       "the file as it was issued, made for this version of the switch",
		       "the licence file was changed after it was signed, or was not signed by us");
}

int licence_check_machine(const struct licence *l, struct str machine, struct err *err)
{
	if (strcmp(l->machine, LICENCE_ANY_MACHINE) == 0 || str_eq(machine, str_of(l->machine)))
		return 0;
	if (machine.n == 0)
		return err_set(
			err, ERR_CONFLICT, "machine", str_of(l->machine),
			"run `switch-license machine --write FILE` as root, and give switchd "
			"--machine FILE",
			"the licence is bound to a machine and what this machine is called "
			"is not known");
	return err_set(err, ERR_CONFLICT, "machine", str_of(l->machine),
		       "a licence for this machine: send its `switch-license machine` to us",
		       "the licence is for another machine; this one is %.*s",
		       (int)(machine.n > 64 ? 64 : machine.n), machine.p);
}

enum licence_state licence_state_at(const struct licence *l, ms_t wall_ms)
{
	if (!l)
		return LICENCE_NONE;
	if (l->expires == 0 || wall_ms < l->expires)
		return LICENCE_VALID;
	return wall_ms < l->expires + LICENCE_GRACE_DAYS * DAY_MS ? LICENCE_EXPIRED
								  : LICENCE_LAPSED;
}

const char *licence_state_name(enum licence_state s)
{
	static const char *const names[] = { "UNLICENSED", "valid", "expired", "lapsed" };

	return names[s];
}

uint32_t licence_lines_at(const struct licence *l, ms_t wall_ms)
{
	enum licence_state s = licence_state_at(l, wall_ms);

	if (s == LICENCE_NONE)
		return 0;
	return s == LICENCE_LAPSED && l->lines > LICENCE_LAPSED_LINES ? LICENCE_LAPSED_LINES
								      : l->lines;
}

/* ---- what a machine is ---- */

/* Lower-case hex in groups of `sizes` (0 ends), with sep between. */
static bool put_groups(struct buf *out, struct str s, char sep, const int *sizes)
{
	size_t at = 0;

	for (int g = 0; sizes[g]; g++) {
		if (g > 0 && (at >= s.n || s.p[at++] != sep))
			return false;
		if (g > 0)
			buf_putc(out, sep);
		for (int i = 0; i < sizes[g]; i++, at++) {
			char c = at < s.n ? (char)tolower((unsigned char)s.p[at]) : '!';

			if (str_hex_digit(c) < 0)
				return false;
			buf_putc(out, c);
		}
	}
	return at == s.n;
}

int licence_binding(char ret[LICENCE_BINDING], struct str uuid, struct str mac)
{
	static const int uuid_groups[] = { 8, 4, 4, 4, 12, 0 },
			 mac_groups[] = { 2, 2, 2, 2, 2, 2, 0 };
	char room[64];
	unsigned char digest[32];
	struct buf text = buf_fixed(room, sizeof(room));
	struct buf hex = buf_fixed(ret, LICENCE_BINDING - 1);

	if (!put_groups(&text, str_trim(uuid), '-', uuid_groups))
		return -EINVAL;
	buf_putc(&text, '\n');
	if (!put_groups(&text, str_trim(mac), ':', mac_groups))
		return -EINVAL;
	if (EVP_Digest(text.p, text.n, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	buf_put_hex(&hex, digest, sizeof(digest));
	ret[LICENCE_BINDING - 1] = 0;
	return 0;
}
