#include <errno.h>

#include "model/utf8.h"
#include "sip/sdp.h"
#include "sip/sdp_stream.h"

/*
 * Attributes that cross the switch: what they say is about the media alone. T38VendorInfo names a
 * vendor, so it does not.
 */
static const char *const allowed[] = {
	"rtpmap",
	"fmtp",
	"ptime",
	"maxptime",
	"T38FaxVersion",
	"T38MaxBitRate",
	"T38FaxFillBitRemoval",
	"T38FaxTranscodingMMR",
	"T38FaxTranscodingJBIG",
	"T38FaxRateManagement",
	"T38FaxMaxBuffer",
	"T38FaxMaxDatagram",
	"T38FaxUdpEC",
};

static bool is_allowed(struct str name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (str_ieq(name, str_of(allowed[i])))
			return true;
	}
	return false;
}

/* rtpmap and fmtp only of payload types that the m= line has. */
static bool is_about_us(const struct stream *s, struct str name, struct str value)
{
	struct str number;

	if (!s->is_rtp || (!str_ieq(name, STR("rtpmap")) && !str_ieq(name, STR("fmtp"))))
		return true;
	return str_split(&value, ' ', &number) && sdp_has_payload(&s->media, number);
}

static void put_attributes(const struct stream *s, struct buf *out)
{
	struct str rest = s->lines, name, value;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		if (line.type != 'a')
			continue;
		sdp_attribute(line.value, &name, &value);
		if (!is_allowed(name) || !is_about_us(s, name, value) || !utf8_is_valid(value))
			continue;
		buf_put(out, STR("a="));
		buf_put(out, line.value);
		buf_put(out, STR("\r\n"));
	}
}

/*
 * Who cannot be sent to because of 0.0.0.0 says so by the direction from here on: our own address
 * is a real one.
 */
static enum sdp_direction direction(const struct sdp_media *m)
{
	if (!m->has_address || !addr_is_any(&m->rtp))
		return m->direction;
	return m->direction == SDP_SENDRECV || m->direction == SDP_SENDONLY ? SDP_SENDONLY
									    : SDP_INACTIVE;
}

static void put_direction(const struct stream *s, struct buf *out)
{
	static const char *const line[] = { "a=sendrecv\r\n", "a=sendonly\r\n", "a=recvonly\r\n",
					    "a=inactive\r\n" };
	enum sdp_direction d = direction(&s->media);

	if (s->is_rtp || d != SDP_SENDRECV)
		buf_putz(out, line[d]);
}

static void put_host(const struct addr *a, struct buf *out)
{
	char text[ADDR_TEXT];

	buf_put(out, addr_is_v6(a) ? STR("IN IP6 ") : STR("IN IP4 "));
	buf_putz(out, addr_host_text(a, text));
	buf_put(out, STR("\r\n"));
}

static void put_formats(struct str formats, struct buf *out)
{
	struct str format;

	while (str_split(&formats, ' ', &format)) {
		if (format.n == 0)
			continue;
		buf_putc(out, ' ');
		buf_put(out, format);
	}
	buf_put(out, STR("\r\n"));
}

/* Without a relay RTCP is where the other side says, which the port need not tell. */
static void put_rtcp(const struct sdp_media *m, struct buf *out)
{
	bool is_next =
		addr_port(&m->rtcp) == addr_port(&m->rtp) + 1 && addr_eq_host(&m->rtcp, &m->rtp);

	if (is_next || addr_port(&m->rtcp) == 0)
		return;
	buf_put(out, STR("a=rtcp:"));
	buf_put_u64(out, addr_port(&m->rtcp));
	buf_putc(out, ' ');
	put_host(&m->rtcp, out);
}

static int put_stream(const struct stream *s, const struct addr *our_host, const struct addr *relay,
		      struct buf *out)
{
	const struct addr *at = relay ? relay : &s->media.rtp;
	uint16_t port = s->port ? addr_port(at) : 0;

	if (port && !relay && !s->media.has_address)
		return -EADDRNOTAVAIL;
	buf_put(out, STR("m="));
	buf_put(out, s->kind);
	buf_putc(out, ' ');
	buf_put_u64(out, port);
	buf_putc(out, ' ');
	buf_put(out, s->proto);
	put_formats(s->formats, out);
	if (port && !addr_eq_host(at, our_host)) {
		buf_put(out, STR("c="));
		put_host(at, out);
	}
	put_attributes(s, out);
	if (port && !relay)
		put_rtcp(&s->media, out);
	put_direction(s, out);
	return 0;
}

int sdp_put(const struct sdp *s, const struct sdp_origin *o, const struct addr *our_host,
	    const struct addr *rtp, struct buf *out)
{
	buf_put(out, STR("v=0\r\no=- "));
	buf_put_u64(out, o->session_id);
	buf_putc(out, ' ');
	buf_put_u64(out, o->version);
	buf_putc(out, ' ');
	put_host(our_host, out);
	buf_put(out, STR("s=-\r\nc="));
	put_host(our_host, out);
	buf_put(out, STR("t=0 0\r\n"));
	for (int i = 0; i < s->count; i++) {
		int r = put_stream(&s->stream[i], our_host, rtp ? &rtp[i] : NULL, out);

		if (r < 0)
			return r;
	}
	return buf_error(out);
}
