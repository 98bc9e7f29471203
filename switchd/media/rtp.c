#include "media/rtp.h"

enum { RTP_HEADER = 12, RTCP_HEADER = 4, RTCP_LEAST = 8, RTCP_FIRST = 192, RTCP_LAST = 223 };
/* Further than this is not lost or late but begun anew: packets; units of the codec's clock. */
enum { SEQUENCE_JUMP = 3000, TRANSIT_JUMP = 80000 };

static uint32_t u16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) << 16 | u16(p + 2);
}

bool rtp_read(struct str packet, struct rtp_header *ret)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t need = RTP_HEADER;

	if (packet.n < need || p[0] >> 6 != 2)
		return false;
	need += (size_t)(p[0] & 0x0f) * 4;
	if (p[0] & 0x10) { /* extension: its length counts words behind its own header */
		if (packet.n < need + 4)
			return false;
		need += 4 + (size_t)u16(p + need + 2) * 4;
	}
	if (packet.n < need)
		return false;
	if (p[0] & 0x20 && (p[packet.n - 1] == 0 || need + p[packet.n - 1] > packet.n))
		return false;

	ret->payload_type = p[1] & 0x7f;
	ret->sequence = (uint16_t)u16(p + 2);
	ret->timestamp = u32(p + 4);
	ret->ssrc = u32(p + 8);
	return true;
}

bool udptl_read(struct str packet)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t at = 2;

	if (packet.n < at + 2)
		return false;
	/* The length of an open type in aligned PER: one octet below 128, two below 16384, in pieces beyond. */
	size_t n = p[at++];
	if (n & 0x80)
		n = (n & 0x7f) << 8 | p[at++];
	return n > 0 && n < 0x4000 && at + n < packet.n;
}

/* Padding counts its own bytes, whole words of them. */
static bool is_padding_good(const uint8_t *p, size_t n)
{
	size_t padding = p[n - 1];

	return padding != 0 && padding % 4 == 0 && padding + RTCP_HEADER <= n;
}

bool rtcp_read(struct str packet, uint32_t *ret_ssrc)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t at = 0;

	if (packet.n < RTCP_LEAST || u16(p + 2) == 0) /* every kind begins with an SSRC */
		return false;
	while (at + RTCP_HEADER <= packet.n) {
		size_t n = RTCP_HEADER + (size_t)u16(p + at + 2) * 4;

		if (p[at] >> 6 != 2 || p[at + 1] < RTCP_FIRST || p[at + 1] > RTCP_LAST)
			return false;
		if (p[at] & 0x20 && (at + n != packet.n || !is_padding_good(p + at, n)))
			return false;
		at += n;
	}
	if (at != packet.n)
		return false;
	*ret_ssrc = u32(p + 4);
	return true;
}

static void restart(struct rtp_count *c, const struct rtp_header *h, uint32_t transit)
{
	if (c->is_started)
		c->lost_before = rtp_lost(c);
	c->is_started = true;
	c->ssrc = h->ssrc;
	c->base = c->highest = 0x10000u + h->sequence; /* room below for packets that come late */
	c->received = 1;
	c->timestamp = h->timestamp;
	c->transit = transit;
}

/*
 * A.8, less two things that are no jitter: a clock that was set anew (a huge step), and packets
 * that repeat a timestamp because they go on about one moment (telephone events, duplicates).
 */
static void count_jitter(struct rtp_count *c, uint32_t timestamp, uint32_t transit)
{
	uint32_t d = transit - c->transit;

	if (timestamp == c->timestamp)
		return;
	c->timestamp = timestamp;
	c->transit = transit;
	if (d > UINT32_MAX / 2)
		d = -d;
	if (d < TRANSIT_JUMP)
		c->jitter_16 += d - ((c->jitter_16 + 8) >> 4);
}

void rtp_count(struct rtp_count *c, const struct rtp_header *h, uint32_t arrival)
{
	uint32_t transit = arrival - h->timestamp;
	int16_t ahead = (int16_t)(h->sequence - (uint16_t)c->highest);

	if (!c->is_started || h->ssrc != c->ssrc || ahead > SEQUENCE_JUMP ||
	    ahead < -SEQUENCE_JUMP) {
		restart(c, h, transit);
		return;
	}
	c->received++;
	if (ahead > 0)
		c->highest += (uint32_t)ahead;
	count_jitter(c, h->timestamp, transit);
}

uint64_t rtp_lost(const struct rtp_count *c)
{
	uint64_t expected = c->highest - c->base + 1;

	if (!c->is_started)
		return c->lost_before;
	return c->lost_before + (expected > c->received ? expected - c->received : 0);
}

uint32_t rtp_jitter_us(const struct rtp_count *c, uint32_t clock_hz)
{
	return (uint32_t)((uint64_t)(c->jitter_16 >> 4) * 1000000 / (clock_hz ? clock_hz : 8000));
}

/*
 * In whole numbers: R in hundredths. Delay is taken as twice the jitter and 10 ms of codec; G.711
 * without concealment: Bpl 4.3.
 */
uint32_t rtp_mos_100(uint64_t received, uint64_t lost, uint32_t jitter_us)
{
	if (received == 0)
		return 0;

	int64_t delay_ms = 10 + (int64_t)jitter_us * 2 / 1000;
	int64_t loss = (int64_t)(lost * 10000 / (received + lost)); /* hundredths of a percent */
	int64_t r = 9320 - delay_ms * 24 / 10;

	if (delay_ms > 177)
		r -= (delay_ms - 177) * 11;
	r -= 9500 * loss / (loss + 430);
	if (r <= 0)
		return 100;
	if (r > 10000)
		r = 10000;

	/* MOS = 1 + 0.035 R + 7e-6 R (R - 60)(100 - R), with R in hundredths, times 100. */
	int64_t mos = 100 + r * 35 / 1000 + r * (r - 6000) / 10000 * (10000 - r) * 7 / 1000000;

	return mos < 100 ? 100 : mos > 450 ? 450 : (uint32_t)mos;
}
