#include "sip/sdp.h"

#include <errno.h>
#include <stdlib.h>

#include "model/utf8.h"
#include "sip/lex.h"
#include "sip/sdp_stream.h"

static const char *const direction_names[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

/* Payload types that need no rtpmap (RFC 3551), of those that telephony uses. */
static const struct {
	uint8_t number;
	struct str name;
} statics[] = {
	{ 0, { "PCMU", 4 } }, { 3, { "GSM", 3 } },   { 4, { "G723", 4 } },  { 8, { "PCMA", 4 } },
	{ 9, { "G722", 4 } }, { 15, { "G728", 4 } }, { 18, { "G729", 4 } },
};

/* ---- a= ---- */

static void read_direction(struct str name, enum sdp_direction *ret)
{
	for (int i = 0; i < 4; i++) {
		if (str_eq(name, str_of(direction_names[i])))
			*ret = (enum sdp_direction)i;
	}
}

/*
 * "53020" or "53020 IN IP4 126.16.64.4" (RFC 3605). One that is broken is as if it were not there.
 */
static void read_rtcp(struct str value, struct sdp_media *m)
{
	struct str number = sdp_word(&value);
	struct sdp_scope scope = { .has_address = false };
	uint32_t port;

	if (str_to_u32(number, UINT16_MAX, &port) < 0 || port == 0)
		return;
	if (value.n && (sdp_read_address(value, &scope) < 0 || !scope.has_address))
		return;
	m->rtcp = value.n ? scope.host : m->rtp;
	addr_set_port(&m->rtcp, (uint16_t)port);
}

static void read_media_attribute(struct str line, struct sdp_media *m)
{
	struct str name, value;
	uint32_t n;

	sdp_attribute(line, &name, &value);
	read_direction(name, &m->direction);
	if (str_eq(name, STR("ptime")) && str_to_u32(str_trim(value), 1000, &n) == 0)
		m->ptime_ms = (uint16_t)n;
}

/* ---- codec ---- */

/*
 * The encoding's name of a payload type: its rtpmap "0 PCMU/8000", or the static one. A broken rtpmap is
 * as if it were not there: sdp_put.c does not pass it on either.
 */
static struct str payload_name(const struct stream *s, uint8_t payload)
{
	struct str rest = s->lines, name, value;
	struct sdp_line line;
	uint32_t n;

	while (sdp_line_next(&rest, &line)) {
		sdp_attribute(line.value, &name, &value);
		if (line.type != 'a' || !str_eq(name, STR("rtpmap")) || !utf8_is_valid(value))
			continue;
		if (!str_split(&value, ' ', &name) || str_to_u32(name, SDP_PAYLOAD_MAX, &n) < 0 ||
		    n != payload)
			continue;
		if (str_split(&value, '/', &name) && lex_is_token(name))
			return name;
	}
	for (size_t i = 0; i < sizeof(statics) / sizeof(statics[0]); i++) {
		if (statics[i].number == payload)
			return statics[i].name;
	}
	return STR("");
}

static struct str first_codec(const struct stream *s)
{
	for (int i = 0; i < s->media.payload_count; i++) {
		struct str name = payload_name(s, s->media.payload[i]);

		if (!str_ieq(name, STR("telephone-event")))
			return name;
	}
	return STR("");
}

/* ---- m= ---- */

static bool is_proto(struct str s)
{
	struct str part;

	while (str_split(&s, '/', &part)) {
		if (!lex_is_token(part))
			return false;
	}
	return true;
}

/* "49170", or "49170/1"; several ports for one stream are not supported. */
static int read_port(struct str s, uint16_t *ret)
{
	uint32_t port;

	if (str_has_suffix(s, STR("/1")))
		s.n -= 2;
	if (str_to_u32(s, UINT16_MAX, &port) < 0)
		return -EBADMSG;
	*ret = (uint16_t)port;
	return 0;
}

static int read_formats(struct stream *s, const char **what)
{
	struct str rest = s->formats, format;
	uint32_t n;
	int count = 0;

	while ((format = sdp_word(&rest)).n) {
		if (++count > SDP_PAYLOADS_MAX)
			return sdp_bad(what, "too many formats");
		if (!s->is_rtp && lex_is_token(format))
			continue;
		if (!s->is_rtp || str_to_u32(format, SDP_PAYLOAD_MAX, &n) < 0)
			return sdp_bad(what, "format");
		s->media.payload[s->media.payload_count++] = (uint8_t)n;
	}
	return count ? 0 : sdp_bad(what, "no format");
}

static int read_media_line(struct stream *s, struct str line, const char **what)
{
	s->kind = sdp_word(&line);
	if (read_port(sdp_word(&line), &s->port) < 0)
		return sdp_bad(what, "port");
	s->proto = sdp_word(&line);
	if (!lex_is_token(s->kind) || !is_proto(s->proto))
		return sdp_bad(what, "m= line");
	s->formats = line;
	s->is_rtp = str_find(s->proto, STR("RTP/")) >= 0;
	s->media.is_audio = str_eq(s->kind, STR("audio"));
	s->media.is_fax = str_eq(s->kind, STR("image")) && str_ieq(s->proto, STR("udptl"));
	return read_formats(s, what);
}

static void set_addresses(struct stream *s, const struct sdp_scope *scope)
{
	struct sdp_media *m = &s->media;

	m->has_address = scope->has_address;
	if (scope->has_address)
		m->rtp = scope->host;
	else
		m->rtp.in.sin_family = AF_INET;
	addr_set_port(&m->rtp, s->port);
	m->rtcp = m->rtp;
	addr_set_port(&m->rtcp, s->port && s->port < UINT16_MAX ? s->port + 1 : 0);
}

/* Reads what stands behind an m= line, up to the next one, off the front of *rest. */
static int read_stream(struct stream *s, struct str *rest, struct sdp_scope scope,
		       const char **what)
{
	struct str here = *rest, rtcp = STR(""), name, value;
	struct sdp_line line;

	s->lines = *rest;
	s->media.direction = scope.direction;
	while (sdp_line_next(&here, &line) && line.type != 'm') {
		*rest = here;
		if (line.type == 'c' && sdp_read_address(line.value, &scope) < 0)
			return sdp_bad(what, "c= line");
		if (line.type != 'a')
			continue;
		read_media_attribute(line.value, &s->media);
		sdp_attribute(line.value, &name, &value);
		if (str_eq(name, STR("rtcp")))
			rtcp = value;
	}
	s->lines.n -= rest->n;
	if (s->port && !scope.has_connection)
		return sdp_bad(what, "no c= line");
	set_addresses(s, &scope);
	read_rtcp(rtcp, &s->media);
	s->media.codec = first_codec(s);
	return 0;
}

/* ---- the whole ---- */

static int read_session(struct str *rest, struct sdp_scope *scope, const char **what)
{
	struct str here = *rest, name, value;
	struct sdp_line line;
	bool has_origin = false;

	if (!sdp_line_next(&here, &line) || line.type != 'v' || !str_eq(line.value, STR("0")))
		return sdp_bad(what, "v=0 does not stand first");
	*rest = here;
	while (sdp_line_next(&here, &line) && line.type != 'm') {
		*rest = here;
		has_origin = has_origin || line.type == 'o';
		if (line.type == 'c' && sdp_read_address(line.value, scope) < 0)
			return sdp_bad(what, "c= line");
		if (line.type != 'a')
			continue;
		sdp_attribute(line.value, &name, &value);
		read_direction(name, &scope->direction);
	}
	return has_origin ? 0 : sdp_bad(what, "no o= line");
}

static int read_all(struct sdp *s, struct str text, const char **what)
{
	struct sdp_scope scope = { .direction = SDP_SENDRECV };
	struct sdp_line line;
	int r = sdp_check_lines(text, what);

	if (r == 0)
		r = read_session(&text, &scope, what);
	while (r == 0 && sdp_line_next(&text, &line)) {
		if (s->count == SDP_MEDIA_MAX)
			return sdp_bad(what, "too many streams");

		struct stream *stream = &s->stream[s->count++];
		r = read_media_line(stream, line.value, what);
		if (r == 0)
			r = read_stream(stream, &text, scope, what);
	}
	return r;
}

int sdp_parse(struct sdp **ret, struct str body, const char **what)
{
	if (body.n > SDP_BYTES_MAX)
		return sdp_bad(what, "too long");

	CLEANUP(sdp_free) struct sdp *s = calloc(1, sizeof(*s) + body.n);
	if (!s)
		return -ENOMEM;
	if (body.n)
		memcpy(s->text, body.p, body.n);

	int r = read_all(s, str_n(s->text, body.n), what);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

struct sdp *sdp_free(struct sdp *s)
{
	free(s);
	return NULL;
}

int sdp_media_count(const struct sdp *s)
{
	return s->count;
}

const struct sdp_media *sdp_media_at(const struct sdp *s, int i)
{
	return &s->stream[i].media;
}

const struct sdp_media *sdp_audio(const struct sdp *s)
{
	for (int i = 0; i < s->count; i++) {
		if (s->stream[i].media.is_audio && s->stream[i].port)
			return &s->stream[i].media;
	}
	return NULL;
}

const struct sdp_media *sdp_relayed(const struct sdp *s)
{
	const struct sdp_media *found = sdp_audio(s);

	for (int i = 0; !found && i < s->count; i++) {
		if (s->stream[i].media.is_fax && s->stream[i].port)
			found = &s->stream[i].media;
	}
	return found;
}

void sdp_set_direction(struct sdp *s, enum sdp_direction d)
{
	for (int i = 0; i < s->count; i++)
		s->stream[i].media.direction = d;
}

bool sdp_is_hold(const struct sdp *s)
{
	const struct sdp_media *m = sdp_audio(s);

	if (!m)
		return false;
	return m->direction == SDP_SENDONLY || m->direction == SDP_INACTIVE ||
	       (m->has_address && addr_is_any(&m->rtp));
}
