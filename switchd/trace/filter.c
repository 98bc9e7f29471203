#include "trace/filter.h"

#include <errno.h>
#include <string.h>

static int set_net(struct trace_filter *f, struct str text)
{
	int r = cidr_parse(text, &f->net);

	if (r == 0)
		f->wanted |= MET_ADDRESS;
	return r;
}

/* A star at the end, and no other. */
static bool is_number(struct str s)
{
	if (str_has_suffix(s, STR("*")))
		s = str_head(s, s.n - 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || (unsigned char)s.p[i] <= ' ')
			return false;
	return s.n > 0;
}

int filter_set(struct trace_filter *f, const char *name, struct str text, struct err *err)
{
	const char *accepted = "a name of at most 64 characters";
	int r = -EINVAL;

	if (strcmp(name, "address") == 0) {
		accepted = "an address or a network, as 192.0.2.1 or 192.0.2.0/24, with :PORT or "
			   "without";
		r = set_net(f, text);
	} else if (strcmp(name, "number") == 0) {
		accepted = "a number, or how it begins and a star: 8801*";
		if (is_number(text) && (r = str_copy(f->number, sizeof(f->number), text)) == 0)
			f->wanted |= MET_NUMBER;
	} else if (strcmp(name, "gateway") == 0) {
		if (text.n && (r = str_copy(f->gateway, sizeof(f->gateway), text)) == 0)
			f->wanted |= MET_GATEWAY;
	} else if (strcmp(name, "call_id") == 0) {
		accepted = "a Call-ID of at most 255 characters";
		if (text.n && (r = str_copy(f->call_id, sizeof(f->call_id), text)) == 0)
			f->wanted |= MET_CALL_ID;
	}
	return r == 0 ? 0
		      : err_set(err, ERR_BAD_VALUE, name, text, accepted,
				"nothing can be traced by this");
}

unsigned filter_peer(const struct trace_filter *f, const struct addr *peer)
{
	return (f->wanted & MET_ADDRESS) && cidr_has(&f->net, peer) ? MET_ADDRESS : 0;
}

unsigned filter_call_id(const struct trace_filter *f, struct str call_id)
{
	return (f->wanted & MET_CALL_ID) && str_eq(str_of(f->call_id), call_id) ? MET_CALL_ID : 0;
}

static bool number_is_met(struct str wanted, struct str number)
{
	if (str_has_suffix(wanted, STR("*")))
		return str_has_prefix(number, str_head(wanted, wanted.n - 1));
	return str_eq(wanted, number);
}

unsigned filter_note(const struct trace_filter *f, const struct tap_note *n)
{
	unsigned met = 0;

	if ((f->wanted & MET_GATEWAY) && strcmp(f->gateway, n->gateway) == 0)
		met |= MET_GATEWAY;
	for (int i = 0; (f->wanted & MET_NUMBER) && i < TRACE_NUMBERS; i++)
		if (number_is_met(str_of(f->number), str_of(n->number[i])))
			met |= MET_NUMBER;
	return met;
}
