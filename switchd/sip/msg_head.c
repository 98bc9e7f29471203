#include "sip/msg_head.h"

#include "sip/lex.h"
#include "sip/msg.h"

struct known {
	struct str name;
	char compact; /* 0: none */
	enum header_kind kind;
};

#define NAME(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/*
 * Headers with a compact form (IANA's registry) or a meaning to sip/. Those of every message stand
 * first.
 */
static const struct known known[] = {
	{ NAME("Via"), 'v', HEADER_VIA },
	{ NAME("From"), 'f', HEADER_FROM },
	{ NAME("To"), 't', HEADER_TO },
	{ NAME("Call-ID"), 'i', HEADER_CALL_ID },
	{ NAME("CSeq"), 0, HEADER_CSEQ },
	{ NAME("Contact"), 'm', HEADER_CONTACT },
	{ NAME("Max-Forwards"), 0, HEADER_MAX_FORWARDS },
	{ NAME("Content-Type"), 'c', HEADER_CONTENT_TYPE },
	{ NAME("Content-Length"), 'l', HEADER_CONTENT_LENGTH },
	{ NAME("Record-Route"), 0, HEADER_RECORD_ROUTE },
	{ NAME("Route"), 0, HEADER_ROUTE },
	{ NAME("Supported"), 'k', HEADER_OTHER },
	{ NAME("Session-Expires"), 'x', HEADER_OTHER },
	{ NAME("Refer-To"), 'r', HEADER_OTHER },
	{ NAME("Referred-By"), 'b', HEADER_OTHER },
	{ NAME("Subject"), 's', HEADER_OTHER },
	{ NAME("Event"), 'o', HEADER_OTHER },
	{ NAME("Allow-Events"), 'u', HEADER_OTHER },
	{ NAME("Content-Encoding"), 'e', HEADER_OTHER },
	{ NAME("Accept-Contact"), 'a', HEADER_OTHER },
	{ NAME("Reject-Contact"), 'j', HEADER_OTHER },
	{ NAME("Request-Disposition"), 'd', HEADER_OTHER },
	{ NAME("Identity"), 'y', HEADER_OTHER },
	{ NAME("Identity-Info"), 'n', HEADER_OTHER },
};

static const struct known *find(struct str name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct known *k = &known[i];

		if (name.n == 1 ? k->compact && (name.p[0] | 0x20) == k->compact
				: name.n == k->name.n && str_ieq(name, k->name))
			return k;
	}
	return NULL;
}

struct str header_long_name(struct str name)
{
	const struct known *k = find(name);

	return k ? k->name : name;
}

int head_room(struct str raw)
{
	struct str line;
	int n = 0;

	while (n < MSG_HEADERS_MAX && str_line(&raw, &line) && line.n)
		n++;
	return n;
}

/*
 * Where reading stands. `seen` and `is_quoted` follow the quotes of a line, only once something
 * asks.
 */
struct reader {
	char *p, *end;
	const char *seen;
	bool is_quoted;
	bool ended_well;
	struct msg_fault *fault;
};

/*
 * Is the octet at p the second half of a quoted pair? Every octet of a line is looked at once,
 * however often we are asked.
 */
static bool is_quoted_pair(struct reader *r, const char *p)
{
	while (r->seen < p) {
		if (r->is_quoted && *r->seen == '\\') {
			r->seen += 2;
			if (r->seen == p + 1)
				return true;
			continue;
		}
		if (*r->seen == '"')
			r->is_quoted = !r->is_quoted;
		r->seen++;
	}
	return false;
}

static bool is_line_end(const struct reader *r, const char *p)
{
	return p + 1 < r->end && p[0] == '\r' && p[1] == '\n';
}

/*
 * The line end at p is a fold if a blank follows; it then counts as blanks itself (RFC 3261
 * §7.3.1).
 */
static bool unfold(const struct reader *r, char *p)
{
	if (p + 2 >= r->end || (p[2] != ' ' && p[2] != '\t'))
		return false;
	p[0] = p[1] = ' ';
	return true;
}

static void replace_control(struct reader *r, char *p)
{
	if (*p == '\r' || *p == '\n' || !is_quoted_pair(r, p))
		msg_fault_set(r->fault, 400, "control octet in a header");
	*p = '?';
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/*
 * Takes the next line without its end; an empty one ends the head, and so does the end of the
 * bytes.
 */
static struct str next_line(struct reader *r, bool may_fold)
{
	char *start = r->p, *p = r->p;

	r->seen = start;
	r->is_quoted = false;
	for (; p < r->end; p++) {
		if (!is_control(*p))
			continue;
		if (!is_line_end(r, p)) {
			replace_control(r, p);
			continue;
		}
		if (p > start && may_fold && unfold(r, p)) {
			p++;
			continue;
		}
		r->p = p + 2;
		r->ended_well = true;
		return str_n(start, (size_t)(p - start));
	}
	r->p = p;
	r->ended_well = false;
	msg_fault_set(r->fault, 400, "no empty line behind the headers");
	return str_n(start, (size_t)(p - start));
}

static void add(struct head *h, struct header header, struct msg_fault *fault)
{
	if (h->count == h->max) {
		msg_fault_set(fault, 400, "too many headers");
		return;
	}
	h->header[h->count++] = header;
	if (header.kind == HEADER_OTHER || header.kind >= HEADER_SINGLES)
		return;
	if (h->first[header.kind].p)
		msg_fault_set(fault, 400, "a header that may be there once is there twice");
	else
		h->first[header.kind] = header.value;
}

static void read_header(struct head *h, struct str line, struct msg_fault *fault)
{
	ptrdiff_t colon = str_chr(line, ':');
	size_t n = colon < 0 ? 0 : (size_t)colon;

	/* Blanks may stand before the colon, and nowhere else about a name. */
	while (n && (line.p[n - 1] == ' ' || line.p[n - 1] == '\t'))
		n--;

	struct str name = str_head(line, n);
	if (!lex_is_token(name)) {
		msg_fault_set(fault, 400, "a line that is no header");
		return;
	}
	const struct known *k = find(name);
	add(h,
	    (struct header){ .kind = k ? k->kind : HEADER_OTHER,
			     .name = k ? k->name : name,
			     .value = str_trim(str_skip(line, (size_t)colon + 1)) },
	    fault);
}

void head_read(struct head *h, char *text, size_t n, struct msg_fault *fault)
{
	struct reader r = { .p = text, .end = text + n, .fault = fault };
	struct str line;

	h->count = 0;
	memset(h->first, 0, sizeof(h->first));
	memset(h->elements, 0, sizeof(h->elements));
	h->start = next_line(&r, false);
	while (r.ended_well) {
		line = next_line(&r, true);
		if (line.n == 0)
			break;
		read_header(h, line, fault);
	}
	h->body = str_n(r.p, (size_t)(r.end - r.p));
}

const struct header *head_next(const struct head *h, enum header_kind kind, int *at)
{
	while (*at < h->count) {
		const struct header *header = &h->header[(*at)++];

		if (header->kind == kind)
			return header;
	}
	return NULL;
}

bool element_next(struct elements *e, struct str *ret)
{
	if (e->rest.n == 0) {
		const struct header *header = head_next(e->head, e->kind, &e->at);

		if (!header)
			return false;
		e->rest = header->value;
		/* An empty header is one empty element, for the reader to refuse. */
		if (e->rest.n == 0) {
			*ret = e->rest;
			return true;
		}
	}
	return lex_split(&e->rest, ',', ret);
}
