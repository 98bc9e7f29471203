/*
 * A datagram, or a message framed from a stream. What is taken must be fit for all that is done with
 * it: its headers are there, and the replies and the in-dialog requests written from it are
 * themselves taken and say the same. What is refused can be answered without harm.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/dialog.h"
#include "sip/ext.h"
#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct flow flow_of(enum proto proto)
{
	struct flow flow = { .proto = (uint8_t)proto };

	assert(addr_parse(STR("192.0.2.9:5062"), 0, &flow.peer) == 0);
	return flow;
}

static struct msg *read_again(const struct buf *b)
{
	struct flow flow = flow_of(PROTO_UDP);
	struct msg_fault fault;
	struct msg *m = NULL;

	assert(!buf_error(b));
	assert(msg_parse(&m, &flow, buf_str(b), &fault) == 0);
	return m;
}

static void check_reply(const struct msg *m)
{
	struct buf b = BUF_INIT;

	msg_put_reply_head(m, 200, NULL, "t01", true, &b);
	buf_put(&b, STR("Content-Length: 0\r\n\r\n"));

	CLEANUP(msg_free) struct msg *reply = read_again(&b);
	assert(!reply->is_request && reply->status == 200 && reply->method == m->method);
	assert(str_eq(reply->call_id, m->call_id) && reply->cseq == m->cseq);
	assert(str_eq(reply->branch, m->branch) && str_eq(reply->from_tag, m->from_tag));
	assert(str_eq(reply->to_tag, m->to_tag.n ? m->to_tag : STR("t01")));
	buf_done(&b);
}

/* Between < and > it wants six characters: it refuses <sip:0>, and takes sip:0. */
static bool osip_takes(struct str uri)
{
	return uri.n >= 6;
}

static void check_request_in_dialog(const struct msg *m)
{
	struct dialog d;
	struct draft draft = { .method = METHOD_BYE,
			       .branch = "z9hG4bKt01",
			       .local = &m->flow.peer };
	struct buf b = BUF_INIT;

	assert(dialog_from_request(&d, m, "t01") == 0);
	/* A Request-URI is sip, sips or tel: the other side's Contact is not always. */
	if (m->contact.scheme != URI_OTHER && m->has_contact && osip_takes(m->from_uri_text) &&
	    osip_takes(m->to_uri_text)) {
		dialog_put_request(&d, &draft, &b);

		CLEANUP(msg_free) struct msg *bye = read_again(&b);
		assert(str_eq(bye->call_id, m->call_id) && bye->method == METHOD_BYE);
		assert(str_eq(bye->to_tag, m->from_tag) && str_eq(bye->from_tag, STR("t01")));
		assert(str_eq(bye->to_uri_text, m->from_uri_text));
	}
	buf_done(&b);
	dialog_done(&d);
}

/* Written lines hold nothing but what they may: known words, tokens and numbers. */
static void use_extensions(const struct msg *m)
{
	struct buf lines = BUF_INIT;
	struct str rest, line;
	enum refresher role;

	assert(ext_session_expires(m, &role) <= 86400 && ext_min_se(m) <= 86400);
	assert(ext_retry_after(m, 32, 5) <= 32);
	(void)ext_acknowledges(m, ext_rseq(m), m->cseq);
	ext_put_reasons(m, &lines);
	(void)ext_put_unsupported(m, EXT_TIMER, &lines);
	rest = buf_str(&lines);
	while (str_line(&rest, &line))
		assert(line.n == 0 || (!str_has_control(str_trim(line)) &&
				       (str_has_prefix(line, STR("Reason: ")) ||
					str_has_prefix(line, STR("Unsupported: ")))));
	buf_done(&lines);
}

static void use(const struct msg *m)
{
	char room[64];
	struct buf number = buf_fixed(room, sizeof(room));
	struct str value;

	(void)uri_number(&m->uri, &number);
	(void)uri_number(&m->to, &number);
	use_extensions(m);
	for (int n = 0; msg_header(m, "Contact", n, &value); n++)
		assert(!str_has_control(value) || str_chr(value, '\t') >= 0);
	assert(m->body.n <= MSG_BODY_BYTES_MAX);
}

static void parse(struct str raw, enum proto proto)
{
	CLEANUP(msg_free) struct msg *m = NULL;
	struct flow flow = flow_of(proto);
	struct msg_fault fault;
	struct buf b = BUF_INIT;
	int r = msg_parse(&m, &flow, raw, &fault);

	assert(r == 0 || (r == -EBADMSG && fault.what && (m != NULL) == (fault.code != 0)));
	if (r == 0)
		use(m);
	if (r == 0 && m->is_request) {
		check_reply(m);
		check_request_in_dialog(m);
	}
	if (r < 0 && m) {
		msg_put_reply_head(m, fault.code, NULL, "t01", true, &b);
		assert(!buf_error(&b));
		buf_done(&b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(str_n(data, size), PROTO_UDP);
	parse(str_n(data, size), PROTO_TCP);
	return 0;
}
