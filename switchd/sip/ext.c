#include "sip/ext.h"

#include "sip/lex.h"

enum { DAY_S = 86400 };

/* "1800;x=y" → 1800 and ";x=y" in *ret_params; 0 if there is no such header. */
static uint32_t read_seconds(const struct msg *m, const char *name, struct str *ret_params)
{
	struct str value, seconds;
	uint32_t s;

	if (!msg_header(m, name, 0, &value) || !lex_split(&value, ';', &seconds) ||
	    str_to_u32(seconds, UINT32_MAX, &s) < 0)
		return 0;
	*ret_params = value;
	return s < DAY_S ? s : DAY_S;
}

uint32_t ext_session_expires(const struct msg *m, enum refresher *ret_role)
{
	struct str params = { 0 }, role;
	uint32_t s = read_seconds(m, "Session-Expires", &params);

	*ret_role = REFRESHER_ANY;
	if (!lex_param(params, STR("refresher"), &role))
		return s;
	if (str_ieq(role, STR("uac")))
		*ret_role = REFRESHER_UAC;
	else if (str_ieq(role, STR("uas")))
		*ret_role = REFRESHER_UAS;
	return s;
}

uint32_t ext_min_se(const struct msg *m)
{
	struct str params;

	return read_seconds(m, "Min-SE", &params);
}

uint32_t ext_rseq(const struct msg *m)
{
	struct str value;
	uint32_t rseq;

	if (m->status <= 100 || m->status >= 200 || !msg_lists(m, "Require", STR("100rel")) ||
	    !msg_header(m, "RSeq", 0, &value) || str_to_u32(value, UINT32_MAX, &rseq) < 0)
		return 0;
	return rseq;
}

/* The next of words between blanks. */
static struct str next_word(struct str *s)
{
	struct str word;

	*s = str_trim(*s);
	return str_split(s, ' ', &word) ? str_trim(word) : STR("");
}

bool ext_acknowledges(const struct msg *prack, uint32_t rseq, uint32_t cseq)
{
	struct str value;
	uint32_t n, of;

	if (!msg_header(prack, "RAck", 0, &value))
		return false;
	return str_to_u32(next_word(&value), UINT32_MAX, &n) == 0 && n == rseq &&
	       str_to_u32(next_word(&value), UINT32_MAX, &of) == 0 && of == cseq &&
	       str_eq(str_trim(value), STR("INVITE"));
}

uint32_t ext_retry_after(const struct msg *m, uint32_t max, uint32_t otherwise)
{
	struct str value;
	size_t n = 0;
	uint32_t s;

	if (!msg_header(m, "Retry-After", 0, &value))
		return otherwise;
	while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9')
		n++;
	return str_to_u32(str_head(value, n), max, &s) < 0 ? otherwise : s;
}

/* ---- Reason ---- */

static const struct known {
	struct str protocol;
	uint32_t min, max;
} known[] = {
	{ { "Q.850", 5 }, 1, 127 },
	{ { "SIP", 3 }, 100, 699 },
};

/* 0: not given. */
static uint32_t find_cause(const struct msg *m, const struct known *k)
{
	struct str line, element, protocol, value;
	uint32_t cause;

	for (int n = 0; msg_header(m, "Reason", n, &line); n++) {
		while (lex_split(&line, ',', &element)) {
			if (lex_split(&element, ';', &protocol) && str_ieq(protocol, k->protocol) &&
			    lex_param(element, STR("cause"), &value) &&
			    str_to_u32(value, k->max, &cause) == 0 && cause >= k->min)
				return cause;
		}
	}
	return 0;
}

uint32_t ext_cause(const struct msg *m)
{
	return find_cause(m, &known[0]);
}

void ext_put_reasons(const struct msg *m, struct buf *out)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t cause = find_cause(m, &known[i]);

		if (cause)
			buf_printf(out, "Reason: %s;cause=%u\r\n", known[i].protocol.p, cause);
	}
}

/* ---- Require ---- */

static bool is_known(struct str tag, unsigned known_here)
{
	static const struct {
		struct str tag;
		unsigned bit;
	} tags[] = {
		{ STR_INIT("timer"), EXT_TIMER },
		{ STR_INIT("100rel"), EXT_100REL },
		{ STR_INIT("replaces"), EXT_REPLACES },
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (known_here & tags[i].bit && str_ieq(tag, tags[i].tag))
			return true;
	}
	return str_ieq(tag, STR("privacy"));
}

static bool put_missing(const struct msg *m, const char *header, unsigned known_here, bool is_first,
			struct buf *out)
{
	struct str line, tag;

	for (int n = 0; msg_header(m, header, n, &line); n++) {
		while (lex_split(&line, ',', &tag)) {
			if (is_known(tag, known_here) || !lex_is_token(tag))
				continue;
			buf_put(out, is_first ? STR("Unsupported: ") : STR(", "));
			buf_put(out, tag);
			is_first = false;
		}
	}
	return is_first;
}

bool ext_put_unsupported(const struct msg *m, unsigned known_here, struct buf *out)
{
	bool is_none = put_missing(m, "Require", known_here, true, out);

	is_none = put_missing(m, "Proxy-Require", known_here, is_none, out);
	if (!is_none)
		buf_put(out, STR("\r\n"));
	return !is_none;
}
