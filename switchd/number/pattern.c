#include "number/pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/trie.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { DEPTH = 500, HEAP_KIB = 256, NEST = 16 };

struct rule {
	pcre2_code *code;
	char *to; /* digits, and $0 to $9 */
};

struct pattern {
	size_t count;
	pcre2_match_context *limits; /* only read once it is made */
	struct rule rule[PATTERN_RULES];
};

/* ---- reading ---- */

static int refuse(struct err *err, size_t number, struct str given, const char *fault)
{
	return err_set(err, ERR_BAD_VALUE, "", given,
		       "/expression/replacement/ ... with blanks between; $1 to $9 are groups",
		       "expression %zu %s", number, fault);
}

/* Says what is wrong with it, or NULL. groups: how many the expression has. */
static const char *check_replacement(struct str to, uint32_t groups)
{
	for (size_t i = 0; i < to.n; i++) {
		if (to.p[i] != '$') {
			if (!trie_is_key(str_n(to.p + i, 1)))
				return "has a replacement with something besides 0-9 * # + and $0 "
				       "to $9";
			continue;
		}
		if (++i == to.n || to.p[i] < '0' || to.p[i] > '9')
			return "has a $ without the number of a group";
		if ((uint32_t)(to.p[i] - '0') > groups)
			return "names a group that it does not have";
	}
	return NULL;
}

/* The two parts of "/from/to/". */
static bool part(struct str item, struct str *ret_from, struct str *ret_to)
{
	struct str rest = str_skip(item, 1);
	ptrdiff_t slash;

	if (item.n < 3 || item.p[0] != '/' || item.p[item.n - 1] != '/')
		return false;
	rest.n--;
	slash = str_chr(rest, '/');
	if (slash < 0)
		return false;
	*ret_from = str_head(rest, (size_t)slash);
	*ret_to = str_skip(rest, (size_t)slash + 1);
	return str_chr(*ret_to, '/') < 0;
}

static pcre2_code *compile(struct str from, int *ret_error, size_t *ret_at)
{
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;

	*ret_error = PCRE2_ERROR_NOMEMORY;
	if (!c)
		return NULL;
	(void)pcre2_set_max_pattern_length(c, PATTERN_TEXT_MAX);
	(void)pcre2_set_parens_nest_limit(c, NEST);
	code = pcre2_compile((PCRE2_SPTR)from.p, from.n,
			     PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
				     PCRE2_DOLLAR_ENDONLY,
			     ret_error, ret_at, c);
	pcre2_compile_context_free(c);
	return code;
}

static int match(const struct pattern *p, const struct rule *r, struct str number,
		 pcre2_match_data *found)
{
	int n = pcre2_match(r->code, (PCRE2_SPTR)number.p, number.n, 0, 0, found, p->limits);

	switch (n) {
	case PCRE2_ERROR_NOMATCH:
		return 0;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_RECURSELOOP:
		return -ELOOP;
	default:
		return n >= 0 ? 1 : -ENOMEM;
	}
}

/* Numbers of the longest kind that make an expression that tries too much do so. */
static int try_out(const struct pattern *p, const struct rule *r, pcre2_match_data *found)
{
	static const char *const hard[] = {
		"0000000000000000000000000000000000000000",
		"1111111111111111111111111111111111111111",
		"000000000000000000000000000000000000000#",
		"111111111111111111111111111111111111111*",
		"1234567890123456789012345678901234567890",
		"123456789012345678901234567890123456789#",
		"+00000000000000000000000000000000000000*",
		"1212121212121212121212121212121212121212",
		"121212121212121212121212121212121212121#",
	};

	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		int n = match(p, r, str_of(hard[i]), found);

		if (n < 0)
			return n;
	}
	return 0;
}

static int read_rule(struct pattern *p, struct str item, struct err *err)
{
	struct rule *r = &p->rule[p->count++];
	char message[128], fault[192];
	struct str from, to;
	size_t at = 0;
	int error = 0;

	if (!part(item, &from, &to))
		return refuse(err, p->count, item, "is not /expression/replacement/");
	if (str_has_prefix(from, STR("(*")))
		return refuse(err, p->count, item, "begins with a verb");
	r->code = compile(from, &error, &at);
	if (!r->code && (error == PCRE2_ERROR_NOMEMORY || error == PCRE2_ERROR_HEAP_FAILED))
		return -ENOMEM;
	if (!r->code) {
		struct buf text = buf_fixed(fault, sizeof(fault));

		(void)pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof(message));
		buf_printf(&text, "is wrong at character %zu: %s", at + 1, message);
		return refuse(err, p->count, item, buf_cstr(&text));
	}

	uint32_t groups = 0;
	(void)pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	const char *wrong = check_replacement(to, groups);
	if (wrong)
		return refuse(err, p->count, item, wrong);
	r->to = str_dup(to);

	pcre2_match_data *found = pcre2_match_data_create(PATTERN_GROUPS, NULL);
	error = r->to && found ? try_out(p, r, found) : -ENOMEM;
	pcre2_match_data_free(found);
	return error == -ELOOP ? refuse(err, p->count, item, "tries too much: make it simpler")
			       : error;
}

int pattern_create(struct pattern **ret, struct str text, struct err *err)
{
	CLEANUP(pattern_free) struct pattern *p = calloc(1, sizeof(*p));
	struct str item;

	if (!p)
		return -ENOMEM;
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits)
		return -ENOMEM;
	(void)pcre2_set_match_limit(p->limits, PATTERN_STEPS);
	(void)pcre2_set_depth_limit(p->limits, DEPTH);
	(void)pcre2_set_heap_limit(p->limits, HEAP_KIB);

	while (str_split(&text, ' ', &item)) {
		if (str_is_empty(item))
			continue;
		if (p->count == PATTERN_RULES)
			return refuse(err, p->count + 1, item, "is one too many");
		int r = read_rule(p, item, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE(p);
	return 0;
}

struct pattern *pattern_free(struct pattern *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->count; i++) {
		pcre2_code_free(p->rule[i].code);
		free(p->rule[i].to);
	}
	pcre2_match_context_free(p->limits);
	free(p);
	return NULL;
}

/* ---- applying ---- */

static struct str group(struct str number, const PCRE2_SIZE *at, unsigned n)
{
	PCRE2_SIZE from = at[(size_t)2 * n], to = at[(size_t)2 * n + 1];

	/* One that took no part; \K may put an end before its begin. */
	if (from == PCRE2_UNSET || from > to || to > number.n)
		return STR("");
	return str_n(number.p + from, to - from);
}

static void put(const struct rule *r, struct str number, const PCRE2_SIZE *at, uint32_t groups,
		struct buf *out)
{
	struct str whole = group(number, at, 0);
	size_t before = at[0] <= number.n ? at[0] : number.n;

	buf_put(out, str_head(number, before));
	for (const char *c = r->to; *c; c++) {
		if (*c != '$')
			buf_putc(out, *c);
		else if ((uint32_t)(*++c - '0') < groups)
			buf_put(out, group(number, at, (unsigned)(*c - '0')));
	}
	buf_put(out, str_skip(number, before + whole.n));
}

int pattern_apply(const struct pattern *p, struct str number, struct buf *out)
{
	pcre2_match_data *found = pcre2_match_data_create(PATTERN_GROUPS, NULL);
	int r = found ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < p->count; i++) {
		r = match(p, &p->rule[i], number, found);
		if (r == 1) {
			put(&p->rule[i], number, pcre2_get_ovector_pointer(found),
			    pcre2_get_ovector_count(found), out);
			r = buf_error(out) < 0 ? buf_error(out) : 1;
		}
	}
	pcre2_match_data_free(found);
	return r;
}
