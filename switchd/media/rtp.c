#include "media/rtp.h"

enum { RTP_HEADER = 12, SEQUENCE_JUMP = 3000 };

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

bool rtcp_is_valid(struct str packet)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t at = 0;

	if (packet.n < 8)
		return false;
	while (at + 4 <= packet.n) {
		if (p[at] >> 6 != 2 || p[at + 1] < 192 || p[at + 1] > 223)
			return false;
		at += 4 + (size_t)u16(p + at + 2) * 4;
	}
	return at == packet.n;
}

static void restart(struct rtp_count *c, const struct rtp_header *h, uint32_t transit)
{
	if (c->is_started)
		c->lost_before = rtp_lost(c);
	c->is_started = true;
	c->ssrc = h->ssrc;
	c->base = c->highest = 0x10000u + h->sequence; /* room below for packets that come late */
	c->received = 1;
	c->transit = transit;
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

	int32_t d = (int32_t)(transit - c->transit);

	c->transit = transit;
	c->jitter_16 += (uint32_t)(d < 0 ? -d : d) - ((c->jitter_16 + 8) >> 4);
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

/* In whole numbers: R in hundredths. Delay taken as twice the jitter and 10 ms of codec; G.711 without concealment: Bpl 4.3. */
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
