#include "sip/msg.h"

#include <errno.h>
#include <string.h>

#include "sip/lex.h"
#include "sip/msg_check.h"
#include "sip/msg_head.h"
#include "sip/msg_osip.h"

static const char *const method_names[] = {
#define METHOD_NAME(m) #m,
	METHODS(METHOD_NAME)
#undef METHOD_NAME
};

const char *method_name(enum method m)
{
	return method_names[m];
}

enum method method_find(struct str name)
{
	int m = 0;

	while (m < METHOD_OTHER && !str_eq(name, str_of(method_names[m])))
		m++;
	return (enum method)m;
}

/* Keep-alives, and empty lines before a request (RFC 3261 §7.5). */
static struct str skip_line_ends(struct str raw)
{
	while (raw.n && (raw.p[0] == '\r' || raw.p[0] == '\n'))
		raw = str_skip(raw, 1);
	return raw;
}

/* One block: the message, its headers, its bytes. */
static struct msg *create(const struct flow *from, struct str raw)
{
	int room = head_room(raw);
	size_t headers = sizeof(struct head) + (size_t)room * sizeof(struct header);
	struct msg *m = malloc(sizeof(*m) + headers + raw.n);

	if (!m)
		return NULL;
	*m = (struct msg){ .flow = *from, .max_forwards = -1, .head = (struct head *)(m + 1) };
	m->head->max = room;
	m->text = (char *)m->head + headers;
	memcpy(m->text, raw.p, raw.n);
	return m;
}

struct msg *msg_free(struct msg *m)
{
	free(m);
	return NULL;
}

/* An ACK is never answered, and without a Via nobody would know the answer. */
static bool can_be_answered(const struct msg *m)
{
	return m->is_request && m->method != METHOD_ACK && m->head->elements[HEADER_VIA] > 0;
}

int msg_parse(struct msg **ret, const struct flow *from, struct str raw, struct msg_fault *fault)
{
	*ret = NULL;
	*fault = (struct msg_fault){ 0 };
	raw = skip_line_ends(raw);
	if (raw.n == 0) {
		msg_fault_set(fault, 0, "nothing but line ends");
		return -EBADMSG;
	}

	CLEANUP(msg_free) struct msg *m = create(from, raw);
	if (!m)
		return -ENOMEM;

	head_read(m->head, m->text, raw.n, fault);
	msg_check(m, fault);
	if (!fault->what) {
		int r = msg_osip_agrees(m, fault);

		if (r < 0)
			return r;
	}
	if (fault->what && !can_be_answered(m))
		fault->code = 0;
	if (!fault->what || fault->code)
		*ret = TAKE(m);
	return fault->what ? -EBADMSG : 0;
}

bool msg_header(const struct msg *m, const char *name, int n, struct str *ret)
{
	struct str wanted = header_long_name(str_of(name));

	for (int i = 0; i < m->head->count; i++) {
		const struct header *h = &m->head->header[i];

		if (!str_ieq(h->name, wanted) || n-- > 0)
			continue;
		*ret = h->value;
		return true;
	}
	return false;
}

/* "timer;x=y" → "timer" */
static struct str without_params(struct str s)
{
	ptrdiff_t semicolon = str_chr(s, ';');

	return semicolon < 0 ? s : str_trim(str_head(s, (size_t)semicolon));
}

bool msg_lists(const struct msg *m, const char *header, struct str token)
{
	struct str value, element;

	for (int n = 0; msg_header(m, header, n, &value); n++) {
		while (lex_split(&value, ',', &element)) {
			if (str_ieq(without_params(element), token))
				return true;
		}
	}
	return false;
}
