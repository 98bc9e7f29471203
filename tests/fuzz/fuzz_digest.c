/*
 * The value of an Authorization header, verified as credentials, and of a WWW-Authenticate header,
 * answered. Nobody gets in with a password he does not know, and what we answer can be read.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/digest.h"
#include "sip/digest_field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char secret[32] = "a secret of thirty-two octets..";

/* A message with that header. NULL if it is refused. */
static struct msg *message(const char *start, const char *header, struct str value)
{
	struct flow flow = { .proto = PROTO_UDP };
	struct msg_fault fault;
	struct msg *m = NULL;
	struct buf b = BUF_INIT;

	assert(addr_parse(STR("192.0.2.9:5062"), 0, &flow.peer) == 0);
	buf_printf(&b,
		   "%s\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
		   "Call-ID: x\r\nCSeq: 1 REGISTER\r\n%s: ",
		   start, header);
	buf_put(&b, value);
	buf_put(&b, STR("\r\n\r\n"));
	assert(!buf_error(&b));
	if (msg_parse(&m, &flow, buf_str(&b), &fault) < 0)
		m = msg_free(m);
	buf_done(&b);
	return m;
}

static void verify(struct str value)
{
	CLEANUP(msg_free)
	struct msg *m = message("REGISTER sip:tandem SIP/2.0", "Authorization", value);
	CLEANUP(digest_free) struct digest *d = NULL;
	struct digest_fields fields;
	struct str user, realm = STR("tandem");

	if (!m)
		return;
	if (digest_fields(value, &fields) == 0 && fields.f[DIGEST_REALM].p)
		realm = fields.f[DIGEST_REALM];
	assert(digest_create(&d, secret, 1) == 0);
	enum digest_verdict v = digest_verify(d, m,
					      &(struct digest_ask){ .realm = realm,
								    .password = STR("x"),
								    .source = &m->flow.peer,
								    .now_ms = 1000,
								    .is_legacy = m->body.n & 1 },
					      NULL);
	assert(v != DIGEST_OK);
	assert(!digest_user(m, realm, &user) || v != DIGEST_NONE);
}

static void answer(struct str value)
{
	CLEANUP(msg_free)
	struct msg *m = message("SIP/2.0 401 x", "WWW-Authenticate", value);
	struct digest_fields fields;
	struct str realm;
	struct buf b = BUF_INIT;

	if (!m)
		return;
	int r = digest_answer(m, METHOD_REGISTER, STR("sip:tandem"), STR("bob"), STR("x"), STR(""),
			      &b, &realm);
	assert(r == 0 || (r == -ENOENT && b.n == 0));
	if (r == 0) {
		struct str line = str_head(buf_str(&b), b.n - 2);

		assert(!str_has_control(line) || str_chr(line, '\t') >= 0);
		assert(digest_fields(str_skip(line, sizeof("Authorization: ") - 1), &fields) == 0);
		assert(str_eq(fields.f[DIGEST_REALM], realm));
	}
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	verify(str_n(data, size));
	answer(str_n(data, size));
	return 0;
}
