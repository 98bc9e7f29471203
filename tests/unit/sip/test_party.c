#include <stdio.h>

#include "oom.h"
#include "parsed.h"
#include "sip/party.h"
#include "unit.h"

#define HERE "192.0.2.1:5060"

/* An element of P-Asserted-Identity, and the value that another peer gets for it; NULL: none. */
static const struct {
	const char *in, *out;
} elements[] = {
	{ "<sip:1@a.invalid>", "<sip:1@" HERE ">" },
	{ "sip:1@a.invalid;x=y", "<sip:1@" HERE ">" },
	{ "<sips:al%20ice@a.invalid:5061;user=phone;lr>", "<sip:al%20ice@" HERE ";user=phone>" },
	{ "\"B \\\"o\\\" <b>, c\" <sip:1@a.invalid>", "\"B \\\"o\\\" <b>, c\" <sip:1@" HERE ">" },
	{ "Bob <sip:1;cpc=ordinary@a.invalid>", "\"Bob\" <sip:1@" HERE ">" },
	{ "<sip:#1@a.invalid>", "<sip:%231@" HERE ">" },
	{ "<tel:+44-20>", "<tel:+44-20>" },
	{ "<tel:2073;phone-context=a.invalid>", "<sip:2073@" HERE ";user=phone>" },
	{ "<sip:1@a.invalid;cause=302>;p=2;q=3;P=\"x\"", "<sip:1@" HERE ";cause=302>;p=2;P=\"x\"" },
	{ "<sip:1@a.invalid?Reason=SIP%3Bcause%3D302&To=x&Privacy=id>",
	  "<sip:1@" HERE "?Reason=SIP%3Bcause%3D302&Privacy=id>" },
	{ "<sip:anonymous@a.invalid>", NULL },
	{ "<sip:1@anonymous.invalid>", NULL },
	{ "<sip:a.invalid>", NULL },
	{ "<http://a.invalid>", NULL },
	{ "<sip:1@a.invalid>;p=2;;", NULL },
	{ "<sip:1@a.invalid", NULL },
	{ "<tel:1@b.invalid>", NULL }, /* fuzz_party: it would have been read as a host */
	{ "<sip:1@a.invalid?Reason=x@b>", NULL },
	{ "1", NULL },
};

/* The end of a case: what was written, unless memory ran out on purpose. */
static void wrote(struct msg *m, struct buf *out, const char *want)
{
	if (m && !oom_refused(buf_error(out)))
		assert_true(str_eq(buf_str(out), str_of(want)));
	buf_done(out);
	(void)msg_free(m);
}

static void an_element_passes_without_its_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(elements); i++) {
		char lines[256], want[256] = "";
		struct buf out = BUF_INIT;

		(void)snprintf(lines, sizeof(lines), "P-Asserted-Identity: %s", elements[i].in);
		if (elements[i].out)
			(void)snprintf(want, sizeof(want), "P-Asserted-Identity: %s\r\n",
				       elements[i].out);

		struct msg *m = invite_with(lines);
		if (m)
			assert_int_equal(party_pass(m, "P-Asserted-Identity", "p", HERE, 2, &out),
					 elements[i].out ? 1 : 0);
		wrote(m, &out, want);
	}
}

static void so_many_pass_and_no_more(void **state)
{
	(void)state;
	struct msg *m = invite_with("Diversion: <sip:1@a>, <a>, <sip:2@a>\nDiversion: <sip:3@a>");
	struct buf out = BUF_INIT;
	struct party p;

	if (m) {
		assert_int_equal(party_pass(m, "Diversion", "", "h", 2, &out), 2);
		assert_true(party_read(m, "diversion", 3, &p) && str_eq(p.uri.user, STR("3")));
		assert_false(party_read(m, "Diversion", 1, &p));
		assert_false(party_read(m, "Diversion", 4, &p));
	}
	wrote(m, &out, "Diversion: <sip:1@h>\r\nDiversion: <sip:2@h>\r\n");
}

static void an_identity_passes_as_it_is(void **state)
{
	(void)state;
	struct msg *m = invite_with("Identity: a.b.c;info=<https://x>;alg=ES256\n"
				    "y:  d ;ppt=\"div\"\nIdentity: \xc3\xa9");
	struct buf out = BUF_INIT;

	if (m)
		assert_int_equal(party_pass_raw(m, "Identity", 8, &out), 2);
	wrote(m, &out,
	      "Identity: a.b.c;info=<https://x>;alg=ES256\r\nIdentity: d ;ppt=\"div\"\r\n");
}

static const struct {
	const char *lines, *out;
} privacies[] = {
	{ "", "" },
	{ "Privacy: ID", "Privacy: id\r\n" },
	{ "Privacy: critical ; user;header", "Privacy: header;user;critical\r\n" },
	{ "Privacy: session,history\nPrivacy: none", "Privacy: session;history;none\r\n" },
	{ "Privacy: x;;,y", "" },
};

static void privacy_is_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(privacies); i++) {
		struct msg *m = invite_with(privacies[i].lines);
		struct buf out = BUF_INIT;

		if (m)
			party_put_privacy(party_privacy(m), &out);
		wrote(m, &out, privacies[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_element_passes_without_its_host),
		cmocka_unit_test(so_many_pass_and_no_more),
		cmocka_unit_test(an_identity_passes_as_it_is),
		cmocka_unit_test(privacy_is_read_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
