#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/ext.h"
#include "unit.h"

/* A message with these lines in it. */
static struct msg *with(const char *start, const char *cseq, const char *lines)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "%s\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKabc\nFrom: <sip:a@b>;tag=1\n"
		       "To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: %s\n%sContent-Length: 0\n\n",
		       start, cseq, lines);
	return parsed(text);
}

static struct msg *request(const char *lines)
{
	return with("BYE sip:c@d SIP/2.0", "7 BYE", lines);
}

static void session_expires_and_its_role(void **state)
{
	static const struct {
		const char *line;
		uint32_t seconds;
		enum refresher role;
	} rows[] = {
		{ "", 0, REFRESHER_ANY },
		{ "Session-Expires: 1800\n", 1800, REFRESHER_ANY },
		{ "x: 90;refresher=uac\n", 90, REFRESHER_UAC },
		{ "Session-Expires: 90 ; Refresher = UAS ;y=z\n", 90, REFRESHER_UAS },
		{ "Session-Expires: 90;refresher=both\n", 90, REFRESHER_ANY },
		{ "Session-Expires: 4294967295\n", 86400, REFRESHER_ANY },
		{ "Session-Expires: 4294967296\n", 0, REFRESHER_ANY },
		{ "Session-Expires: -90\n", 0, REFRESHER_ANY },
		{ "Session-Expires: 90s\n", 0, REFRESHER_ANY },
		{ "Session-Expires: ;refresher=uac\n", 0, REFRESHER_ANY },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		CLEANUP(msg_free) struct msg *m = request(rows[i].line);
		enum refresher role;

		if (!m)
			continue;
		assert_int_equal(ext_session_expires(m, &role), rows[i].seconds);
		assert_int_equal(role, rows[i].role);
		assert_int_equal(ext_min_se(m), 0);
	}
}

static void min_se_and_retry_after(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = request("Min-SE: 120;x=y\nRetry-After: 18 (in a meeting);duration=3600\n");

	if (!m)
		return;
	assert_int_equal(ext_min_se(m), 120);
	assert_int_equal(ext_retry_after(m, 32, 5), 18);
	assert_int_equal(ext_retry_after(m, 17, 5), 5);
}

static void a_reliable_response_and_its_prack(void **state)
{
	static const struct {
		const char *start, *lines;
		uint32_t rseq;
	} responses[] = {
		{ "SIP/2.0 183 P", "Require: 100rel\nRSeq: 41\n", 41 },
		{ "SIP/2.0 183 P", "Require: a, 100REL\nRSeq: 4294967295\n", 4294967295 },
		{ "SIP/2.0 183 P", "RSeq: 41\n", 0 },
		{ "SIP/2.0 183 P", "Require: 100rel\n", 0 },
		{ "SIP/2.0 183 P", "Require: 100rel\nRSeq: 4294967296\n", 0 },
		{ "SIP/2.0 100 P", "Require: 100rel\nRSeq: 41\n", 0 },
		{ "SIP/2.0 200 P", "Require: 100rel\nRSeq: 41\n", 0 },
	};
	static const struct {
		const char *line;
		bool fits;
	} pracks[] = {
		{ "RAck: 41 1 INVITE\n", true },    { "RAck: 41  1   INVITE\n", true },
		{ "RAck: 42 1 INVITE\n", false },   { "RAck: 41 2 INVITE\n", false },
		{ "RAck: 41 1 BYE\n", false },      { "RAck: 41 1\n", false },
		{ "RAck: 41 1 INVITE x\n", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(responses); i++) {
		CLEANUP(msg_free)
		struct msg *m = with(responses[i].start, "1 INVITE", responses[i].lines);

		if (m)
			assert_int_equal(ext_rseq(m), responses[i].rseq);
	}
	for (size_t i = 0; i < ROWS(pracks); i++) {
		CLEANUP(msg_free)
		struct msg *m = with("PRACK sip:c@d SIP/2.0", "2 PRACK", pracks[i].line);

		if (m)
			assert_int_equal(ext_acknowledges(m, 41, 1), pracks[i].fits);
	}
}

static void of_a_reason_only_the_number_is_shown(void **state)
{
	static const struct {
		const char *lines, *shown;
	} rows[] = {
		{ "", "" },
		{ "Reason: Q.850;cause=16;text=\"Bye, Bob\"\n", "Reason: Q.850;cause=16\r\n" },
		{ "Reason: sip ;cause=480 ;text=\"x;cause=1\", q.850; cause = 31\n",
		  "Reason: Q.850;cause=31\r\nReason: SIP;cause=480\r\n" },
		{ "Reason: Q.850;cause=200\nReason: Q.850;cause=17\n",
		  "Reason: Q.850;cause=17\r\n" },
		{ "Reason: SIP;cause=99\n", "" },
		{ "Reason: SIP;cause=+480\n", "" },
		{ "Reason: Q.850\n", "" },
		{ "Reason: X.1;cause=16\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		CLEANUP(msg_free) struct msg *m = request(rows[i].lines);
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		if (!m)
			continue;
		ext_put_reasons(m, &b);
		if (!buf_error(&b))
			assert_true(str_eq(buf_str(&b), str_of(rows[i].shown)));
	}
}

static void what_is_required_and_not_had(void **state)
{
	static const struct {
		const char *lines;
		unsigned known;
		const char *shown;
	} rows[] = {
		{ "", 0, "" },
		{ "Require: timer, 100rel, Replaces\n", EXT_TIMER | EXT_100REL | EXT_REPLACES, "" },
		{ "Require: timer, 100rel\n", EXT_100REL, "Unsupported: timer\r\n" },
		{ "Require: replaces\n", EXT_TIMER, "Unsupported: replaces\r\n" },
		{ "Require: a\nRequire: TIMER, b\nProxy-Require: c\n", EXT_TIMER,
		  "Unsupported: a, b, c\r\n" },
		{ "Proxy-Require: 100rel\n", EXT_TIMER, "Unsupported: 100rel\r\n" },
		{ "Require: no token, \"x\"\n", EXT_TIMER | EXT_100REL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		CLEANUP(msg_free) struct msg *m = request(rows[i].lines);
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		if (!m)
			continue;
		assert_int_equal(ext_put_unsupported(m, rows[i].known, &b),
				 rows[i].shown[0] != '\0');
		if (!buf_error(&b))
			assert_true(str_eq(buf_str(&b), str_of(rows[i].shown)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_expires_and_its_role),
		cmocka_unit_test(min_se_and_retry_after),
		cmocka_unit_test(a_reliable_response_and_its_prack),
		cmocka_unit_test(of_a_reason_only_the_number_is_shown),
		cmocka_unit_test(what_is_required_and_not_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
