#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "sip/sdp.h"
#include "unit.h"

#define HEAD  "v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
#define AUDIO "m=audio 6000 RTP/AVP 0\r\n"

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), 0, &a), 0);
	return a;
}

static bool is_at(const struct addr *a, const char *text)
{
	struct addr b = at(text);

	return addr_eq(a, &b);
}

/* Parses what has to be good. NULL only when memory ran out on purpose. */
static struct sdp *sdp(const char *text)
{
	struct sdp *s = NULL;
	const char *what = "";
	int r = sdp_parse(&s, str_of(text), &what);

	if (r == -EBADMSG)
		fail_msg("refused: %s: %s", what, text);
	return oom_refused(r) ? NULL : s;
}

static void expect_put(const struct sdp *s, const char *host, const struct addr *rtp,
		       const char *expected)
{
	const struct sdp_origin o = { 77, 3 };
	struct addr our_host = at(host);
	struct buf b = BUF_INIT;

	if (!oom_refused(sdp_put(s, &o, &our_host, rtp, &b)) && buf_cstr(&b))
		assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
}

/* ---- reading ---- */

static void a_usual_offer_is_read(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s = sdp(HEAD "m=audio 6000 RTP/AVP 101 8 0\r\n"
				 "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:8 PCMA/8000\r\n"
				 "a=ptime:20\r\na=rtcp:6100\r\na=recvonly\r\n"
				 "m=video 0 RTP/AVP 31\r\n");

	if (!s)
		return;
	const struct sdp_media *m = sdp_audio(s);
	assert_int_equal(sdp_media_count(s), 2);
	assert_ptr_equal(m, sdp_media_at(s, 0));
	assert_true(m->is_audio);
	assert_true(m->has_address);
	assert_true(is_at(&m->rtp, "192.0.2.2:6000"));
	assert_true(is_at(&m->rtcp, "192.0.2.2:6100"));
	assert_int_equal(m->direction, SDP_RECVONLY);
	assert_int_equal(m->ptime_ms, 20);
	assert_int_equal(m->payload_count, 3);
	assert_int_equal(m->payload[0], 101);
	assert_str(m->codec, "PCMA");
	assert_false(sdp_media_at(s, 1)->is_audio);
	assert_int_equal(addr_port(&sdp_media_at(s, 1)->rtp), 0);
	assert_int_equal(addr_port(&sdp_media_at(s, 1)->rtcp), 0);
}

static void a_stream_overrules_the_session(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s = sdp("v=0\no=-\na=inactive\nm=audio 1 RTP/AVP 0\nc=IN IP6 2001:db8::1\n"
			    "a=sendrecv\nm=audio 65535 RTP/AVP 0\nc=IN IP4 192.0.2.7\n");

	if (!s)
		return;
	assert_true(is_at(&sdp_media_at(s, 0)->rtp, "[2001:db8::1]:1"));
	assert_int_equal(sdp_media_at(s, 0)->direction, SDP_SENDRECV);
	assert_true(is_at(&sdp_media_at(s, 1)->rtp, "192.0.2.7:65535"));
	assert_int_equal(sdp_media_at(s, 1)->direction, SDP_INACTIVE);
	assert_int_equal(addr_port(&sdp_media_at(s, 1)->rtcp), 0);
}

static void a_codec_has_its_name_from_rtpmap_or_the_table(void **state)
{
	static const struct {
		const char *lines, *codec;
	} codecs[] = {
		{ "m=audio 6000 RTP/AVP 0", "PCMU" },
		{ "m=audio 6000 RTP/AVP 3", "GSM" },
		{ "m=audio 6000 RTP/AVP 4", "G723" },
		{ "m=audio 6000 RTP/AVP 8", "PCMA" },
		{ "m=audio 6000 RTP/AVP 9", "G722" },
		{ "m=audio 6000 RTP/AVP 18", "G729" },
		{ "m=audio 6000 RTP/AVP 18\na=rtpmap:18 G729A/8000/1", "G729A" },
		{ "m=audio 6000 RTP/AVP 96 0\na=rtpmap:96 Telephone-Event/8000", "PCMU" },
		{ "m=audio 6000 RTP/AVP 96\na=rtpmap:96 telephone-event/8000", "" },
		{ "m=audio 6000 RTP/AVP 96", "" },
		{ "m=audio 6000 RTP/AVP 96\na=rtpmap:97 a/1\na=rtpmap:960 "
		  "b/1\na=rtpmap:\na=rtpmap:x",
		  "" },
		{ "m=audio 6000 RTP/AVP 96\na=rtpmap:96", "" },
		{ "m=audio 6000 RTP/AVP 96\na=rtpmap: 96 x/8000", "" },
		{ "m=audio 6000 RTP/AVP 96\na=rtpmap:96 x\xff/8000", "" },
		{ "m=audio 6000 RTP/AVP 8\na=rtpmap:8 PC\x87/8000", "PCMA" },
		{ "m=audio 6000 RTP/AVP 8\na=rtpmap:8 G722/80\x87", "PCMA" },
		{ "m=audio 6000 RTP/AVP 8\na=rtpmap:8 @/8000\na=rtpmap:8 G722/8000", "G722" },
	};
	char text[300];

	(void)state;
	for (size_t i = 0; i < ROWS(codecs); i++) {
		(void)snprintf(text, sizeof(text), HEAD "%s\n", codecs[i].lines);

		CLEANUP(sdp_free) struct sdp *s = sdp(text);
		if (!s)
			return;
		assert_str(sdp_audio(s)->codec, codecs[i].codec);
	}
}

static void hold_is_seen_in_both_styles(void **state)
{
	static const struct {
		const char *text;
		bool is_hold;
	} cases[] = {
		{ HEAD AUDIO, false },
		{ HEAD AUDIO "a=sendrecv\r\n", false },
		{ HEAD AUDIO "a=recvonly\r\n", false },
		{ HEAD AUDIO "a=sendonly\r\n", true },
		{ HEAD AUDIO "a=inactive\r\n", true },
		{ HEAD "a=sendonly\r\n" AUDIO, true },
		{ HEAD AUDIO "c=IN IP4 0.0.0.0\r\n", true },
		{ HEAD AUDIO "c=IN IP6 ::\r\n", true },
		{ HEAD AUDIO "c=IN IP4 media.example.com\r\n", false },
		{ HEAD "m=audio 0 RTP/AVP 0\r\na=inactive\r\n", false },
		{ HEAD, false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		CLEANUP(sdp_free) struct sdp *s = sdp(cases[i].text);

		if (!s)
			return;
		assert_int_equal(sdp_is_hold(s), cases[i].is_hold);
	}
}

static void a_direction_can_be_set_for_all_streams(void **state)
{
	(void)state;
	CLEANUP(sdp_free) struct sdp *s = sdp(HEAD AUDIO "a=inactive\n");

	if (!s)
		return;
	assert_true(sdp_is_hold(s));
	sdp_set_direction(s, SDP_SENDRECV);
	assert_false(sdp_is_hold(s));
	assert_int_equal(sdp_audio(s)->direction, SDP_SENDRECV);
}

static void rtcp_is_where_it_is_said_to_be(void **state)
{
	static const struct {
		const char *line, *rtcp;
	} cases[] = {
		{ "", "192.0.2.2:6001" },
		{ "a=rtcp:7000\r\n", "192.0.2.2:7000" },
		{ "a=rtcp:7000 IN IP4 192.0.2.3\r\n", "192.0.2.3:7000" },
		{ "a=rtcp:7000 IN IP6 2001:db8::3\r\n", "[2001:db8::3]:7000" },
		{ "a=rtcp:7000 IN IP4 224.0.0.1\r\n", "192.0.2.2:6001" },
		{ "a=rtcp:7000 IN IP4 x.example.com\r\n", "192.0.2.2:6001" },
		{ "a=rtcp:0\r\n", "192.0.2.2:6001" },
		{ "a=rtcp:65536\r\n", "192.0.2.2:6001" },
		{ "a=rtcp:\r\n", "192.0.2.2:6001" },
		{ "a=rtcp\r\n", "192.0.2.2:6001" },
	};
	char text[300];

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		(void)snprintf(text, sizeof(text), HEAD AUDIO "%s", cases[i].line);

		CLEANUP(sdp_free) struct sdp *s = sdp(text);
		if (!s)
			return;
		assert_true(is_at(&sdp_audio(s)->rtcp, cases[i].rtcp));
	}
}

static void a_name_for_an_address_is_kept_as_unknown(void **state)
{
	(void)state;
	CLEANUP(sdp_free) struct sdp *s = sdp(HEAD AUDIO "c=IN IP4 media.example.com\r\n");
	struct sdp_origin o = { 1, 1 };
	struct addr host = at("198.51.100.1");
	struct buf b = BUF_INIT;

	if (!s)
		return;
	assert_false(sdp_audio(s)->has_address);
	assert_int_equal(addr_port(&sdp_audio(s)->rtp), 6000);
	assert_true(addr_is_any(&sdp_audio(s)->rtp));
	int r = sdp_put(s, &o, &host, NULL, &b);
	if (!oom_hit())
		assert_int_equal(r, -EADDRNOTAVAIL);
	buf_done(&b);
}

static const char *const bad[] = {
	"",
	"v=0",
	"v=1\r\no=-\r\n",
	"o=-\r\nv=0\r\n",
	"v=0\r\nc=IN IP4 192.0.2.1\r\n" AUDIO,
	"v=0\r\no=-\r\n" AUDIO,
	HEAD "m=audio 6000 RTP/AVP\r\n",
	HEAD "m=audio 6000\r\n",
	HEAD "m=audio\r\n",
	HEAD "m=\r\n",
	HEAD "m=audio x RTP/AVP 0\r\n",
	HEAD "m=audio -1 RTP/AVP 0\r\n",
	HEAD "m=audio 65536 RTP/AVP 0\r\n",
	HEAD "m=audio 6000/2 RTP/AVP 0\r\n",
	HEAD "m=audio 6000 RTP/AVP 128\r\n",
	HEAD "m=audio 6000 RTP/AVP x\r\n",
	HEAD "m=audio 6000 RTP/AVP -1\r\n",
	HEAD "m=audio 6000 RTP/\"x\" 0\r\n",
	HEAD "m=au<dio 6000 RTP/AVP 0\r\n",
	HEAD AUDIO "c=IN IP4\r\n",
	HEAD AUDIO "c=IN IP4 192.0.2.1 x\r\n",
	HEAD AUDIO "c=IN IP6 192.0.2.1\r\n",
	HEAD AUDIO "c=IN IP4 2001:db8::1\r\n",
	HEAD AUDIO "c=IN IP5 192.0.2.1\r\n",
	HEAD AUDIO "c=XX IP4 192.0.2.1\r\n",
	HEAD AUDIO "c=IN IP4 224.0.0.1/127\r\n",
	HEAD AUDIO "c=IN IP4 255.255.255.255\r\n",
	HEAD AUDIO "c=IN IP6 ff02::1\r\n",
	HEAD AUDIO "c=IN IP4 192.0.2.1:5000\r\n",
	HEAD AUDIO "x\r\n",
	HEAD AUDIO "A=x\r\n",
	HEAD AUDIO "a x\r\n",
	HEAD "\r\n" AUDIO,
	HEAD AUDIO "a=x\x01y\r\n",
	HEAD AUDIO "a=x\x7fy\r\n",
	HEAD AUDIO "a=x\ry\r\n",
};

static void what_is_no_description_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct sdp *s = NULL;
		const char *what = NULL;
		int r = sdp_parse(&s, str_of(bad[i]), &what);

		if (oom_hit())
			return;
		if (r != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(what);
		assert_null(s);
	}
}

static void a_nul_is_refused(void **state)
{
	static const char text[] = HEAD AUDIO "a=\0x\r\n";
	struct sdp *s = NULL;
	const char *what;

	(void)state;
	assert_true(sdp_parse(&s, STR(text), &what) < 0);
}

/* head, then a piece n times; 0 or the error. */
static int parse_many(const char *head, const char *piece, int n, const char *tail)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;
	struct buf b = BUF_INIT;

	buf_putz(&b, head);
	for (int i = 0; i < n; i++)
		buf_putz(&b, piece);
	buf_putz(&b, tail);
	int r = buf_error(&b) ? -ENOMEM : sdp_parse(&s, buf_str(&b), &what);
	buf_done(&b);
	return r;
}

static void limits_hold_at_their_edges(void **state)
{
	static const struct {
		const char *head, *piece, *tail;
		int most;
	} limits[] = {
		{ HEAD, AUDIO, "", SDP_MEDIA_MAX },
		{ HEAD "m=audio 6000 RTP/AVP", " 0", "\r\n", SDP_PAYLOADS_MAX },
		{ HEAD "m=image 6000 udptl", " t38", "\r\n", SDP_PAYLOADS_MAX },
		{ HEAD, "a=x\r\n", "", SDP_LINES_MAX - 5 },
		{ "v=0\no=-\na=", "x", "\n", SDP_BYTES_MAX - 11 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(limits); i++) {
		int most =
			parse_many(limits[i].head, limits[i].piece, limits[i].most, limits[i].tail);
		int more = parse_many(limits[i].head, limits[i].piece, limits[i].most + 1,
				      limits[i].tail);

		if (oom_hit())
			return;
		assert_int_equal(most, 0);
		assert_int_equal(more, -EBADMSG);
	}
}

/* ---- writing ---- */

static void what_is_written_is_ours(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s =
		sdp("v=0\r\no=vendor 53655765 9 IN IP4 192.0.2.2\r\ns=Vendor 1.0\r\ni=x\r\n"
		    "u=http://vendor\r\ne=a@vendor\r\nc=IN IP4 192.0.2.2\r\nb=AS:64\r\n"
		    "t=1 2\r\nk=clear:x\r\na=tool:vendor\r\n"
		    "m=audio 6000 RTP/AVP 8  0 101\r\n"
		    "i=vendor\r\nb=AS:64\r\n"
		    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:99 Vendor/8000\r\n"
		    "a=rtpmap:0 PC\xfeU/8000\r\na=fmtp:8 \xc0\xff\r\n"
		    "a=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:150\r\na=rtcp-mux\r\n"
		    "a=rtcp:6100 IN IP4 192.0.2.3\r\na=candidate:1 1 UDP 1 192.0.2.2 1 typ host\r\n"
		    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=sendonly\r\n");
	struct addr rtp = at("198.51.100.1:20000");

	if (s)
		expect_put(s, "198.51.100.1", &rtp,
			   "v=0\r\no=- 77 3 IN IP4 198.51.100.1\r\ns=-\r\n"
			   "c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
			   "m=audio 20000 RTP/AVP 8 0 101\r\n"
			   "a=rtpmap:8 PCMA/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
			   "a=maxptime:150\r\na=sendonly\r\n");
}

static void streams_keep_their_order_and_refused_ones_stay_refused(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s = sdp(HEAD "m=audio 0 RTP/SAVP 0\r\nm=image 4000 udptl t38\r\n"
				 "a=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
				 "a=T38VendorInfo:0 0 37\r\nm=audio 5000/1 RTP/AVP 18\r\n");
	struct addr rtp[] = { at("198.51.100.1:1"), at("[2001:db8::9]:20002"),
			      at("198.51.100.1:0") };

	if (s)
		expect_put(s, "198.51.100.1", rtp,
			   "v=0\r\no=- 77 3 IN IP4 198.51.100.1\r\ns=-\r\n"
			   "c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
			   "m=audio 0 RTP/SAVP 0\r\na=sendrecv\r\n"
			   "m=image 20002 udptl t38\r\nc=IN IP6 2001:db8::9\r\n"
			   "a=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
			   "m=audio 0 RTP/AVP 18\r\na=sendrecv\r\n");
}

static void without_a_relay_media_goes_where_the_other_side_is(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s = sdp(HEAD "m=audio 6000 RTP/AVP 0\r\na=rtcp:6100 IN IP4 192.0.2.3\r\n"
				 "m=audio 7000 RTP/AVP 0\r\n");

	if (s)
		expect_put(s, "2001:db8::1", NULL,
			   "v=0\r\no=- 77 3 IN IP6 2001:db8::1\r\ns=-\r\n"
			   "c=IN IP6 2001:db8::1\r\nt=0 0\r\n"
			   "m=audio 6000 RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\n"
			   "a=rtcp:6100 IN IP4 192.0.2.3\r\na=sendrecv\r\n"
			   "m=audio 7000 RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\na=sendrecv\r\n");
}

static void old_hold_becomes_a_direction(void **state)
{
	static const struct {
		const char *line, *written;
	} cases[] = {
		{ "", "a=sendonly" },
		{ "a=sendonly\r\n", "a=sendonly" },
		{ "a=recvonly\r\n", "a=inactive" },
		{ "a=inactive\r\n", "a=inactive" },
	};
	struct addr rtp = at("198.51.100.1:20000");
	char text[300], expected[300];

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		(void)snprintf(text, sizeof(text), HEAD AUDIO "c=IN IP4 0.0.0.0\r\n%s",
			       cases[i].line);
		(void)snprintf(expected, sizeof(expected),
			       "v=0\r\no=- 77 3 IN IP4 198.51.100.1\r\ns=-\r\n"
			       "c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
			       "m=audio 20000 RTP/AVP 0\r\n%s\r\n",
			       cases[i].written);

		CLEANUP(sdp_free) struct sdp *s = sdp(text);
		if (!s)
			return;
		expect_put(s, "198.51.100.1", &rtp, expected);
	}
}

static void a_description_survives_the_round_trip(void **state)
{
	(void)state;
	CLEANUP(sdp_free)
	struct sdp *s =
		sdp(HEAD "m=audio 6000 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n"
			 "a=fmtp:101 0-15\r\na=ptime:30\r\na=recvonly\r\n");
	struct addr rtp = at("198.51.100.1:20000");
	const struct sdp_origin o = { 1, 1 };
	struct buf b = BUF_INIT;

	if (!s)
		return;
	if (oom_refused(sdp_put(s, &o, &rtp, &rtp, &b)) || !buf_cstr(&b)) {
		buf_done(&b);
		return;
	}
	CLEANUP(sdp_free) struct sdp *again = sdp(buf_cstr(&b));
	buf_done(&b);
	if (!again)
		return;
	assert_true(is_at(&sdp_audio(again)->rtp, "198.51.100.1:20000"));
	assert_int_equal(sdp_audio(again)->ptime_ms, 30);
	assert_int_equal(sdp_audio(again)->direction, SDP_RECVONLY);
	assert_int_equal(sdp_audio(again)->payload_count, 2);
	assert_str(sdp_audio(again)->codec, "G729");
}

static void a_description_is_read_and_written(void)
{
	CLEANUP(sdp_free) struct sdp *s = sdp(HEAD AUDIO);
	struct addr rtp = at("198.51.100.1:20000");

	if (s)
		expect_put(s, "198.51.100.1", &rtp,
			   "v=0\r\no=- 77 3 IN IP4 198.51.100.1\r\ns=-\r\n"
			   "c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
			   "m=audio 20000 RTP/AVP 0\r\na=sendrecv\r\n");
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_description_is_read_and_written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_offer_is_read),
		cmocka_unit_test(a_stream_overrules_the_session),
		cmocka_unit_test(a_codec_has_its_name_from_rtpmap_or_the_table),
		cmocka_unit_test(hold_is_seen_in_both_styles),
		cmocka_unit_test(a_direction_can_be_set_for_all_streams),
		cmocka_unit_test(rtcp_is_where_it_is_said_to_be),
		cmocka_unit_test(a_name_for_an_address_is_kept_as_unknown),
		cmocka_unit_test(what_is_no_description_is_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(limits_hold_at_their_edges),
		cmocka_unit_test(what_is_written_is_ours),
		cmocka_unit_test(streams_keep_their_order_and_refused_ones_stay_refused),
		cmocka_unit_test(without_a_relay_media_goes_where_the_other_side_is),
		cmocka_unit_test(old_hold_becomes_a_direction),
		cmocka_unit_test(a_description_survives_the_round_trip),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
