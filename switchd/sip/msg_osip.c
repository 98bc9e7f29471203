#include "sip/msg_osip.h"

#include <errno.h>
#include <pthread.h>

#include <osipparser2/osip_parser.h>

#include "sip/msg_head.h"

static void keep_quiet(const char *file, int line, osip_trace_level_t level, const char *format,
		       va_list args)
{
	(void)file, (void)line, (void)level, (void)format, (void)args;
}

/* Left alone, osip prints what it does not like. */
static void start_osip(void)
{
	osip_trace_initialize_func(TRACE_LEVEL0, keep_quiet);
	(void)parser_init();
}

static bool has_structure(enum header_kind kind)
{
	return kind == HEADER_FROM || kind == HEADER_TO || kind >= HEADER_SINGLES;
}

/*
 * Written by us: unfolded, blanks trimmed, and only the headers whose structure matters. osip
 * parses bodies and a dozen more headers too, which is work and attack surface for nothing; and it
 * does not take a status line without a phrase.
 */
static void put_text(const struct msg *m, struct buf *out)
{
	buf_put(out, m->is_request ? m->head->start : STR("SIP/2.0 200 OK"));
	buf_put(out, STR("\r\n"));
	for (int i = 0; i < m->head->count; i++) {
		const struct header *h = &m->head->header[i];

		if (!has_structure(h->kind))
			continue;
		buf_put(out, h->name);
		buf_put(out, STR(": "));
		buf_put(out, h->value);
		buf_put(out, STR("\r\n"));
	}
	buf_put(out, STR("\r\n"));
}

static bool same_param(osip_list_t *params, const char *name, struct str ours)
{
	osip_generic_param_t *p = NULL;

	(void)osip_generic_param_get_byname(params, (char *)(uintptr_t)name, &p);
	return str_eq(ours, str_of(p ? p->gvalue : NULL));
}

static bool same_count(osip_list_t *theirs, const struct msg *m, enum header_kind kind)
{
	return osip_list_size(theirs) == m->head->elements[kind];
}

static bool agrees(osip_message_t *o, const struct msg *m)
{
	osip_via_t *via = osip_list_get(&o->vias, 0);

	if (!via || !o->from || !o->to)
		return false;
	return same_count(&o->vias, m, HEADER_VIA) && same_count(&o->contacts, m, HEADER_CONTACT) &&
	       same_count(&o->routes, m, HEADER_ROUTE) &&
	       same_count(&o->record_routes, m, HEADER_RECORD_ROUTE) &&
	       same_param(&via->via_params, "branch", m->branch) &&
	       same_param(&o->from->gen_params, "tag", m->from_tag) &&
	       same_param(&o->to->gen_params, "tag", m->to_tag);
}

static int parse(const struct msg *m, struct str text, struct msg_fault *fault)
{
	osip_message_t *o;

	if (osip_message_init(&o) != OSIP_SUCCESS)
		return -ENOMEM;

	int r = osip_message_parse(o, text.p, text.n);
	if (r == OSIP_SUCCESS && !agrees(o, m))
		msg_fault_set(fault, 400, "two readings");
	else if (r != OSIP_SUCCESS && r != OSIP_NOMEM)
		msg_fault_set(fault, 400, "structure");
	osip_message_free(o);
	return r == OSIP_NOMEM ? -ENOMEM : 0;
}

int msg_osip_agrees(const struct msg *m, struct msg_fault *fault)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct buf text = BUF_INIT;

	(void)pthread_once(&once, start_osip);
	(void)buf_reserve(&text, 1024);
	put_text(m, &text);
	int r = buf_error(&text);
	if (buf_cstr(&text))
		r = parse(m, buf_str(&text), fault);
	buf_done(&text);
	return r;
}
