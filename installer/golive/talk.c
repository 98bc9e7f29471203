#include "golive/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/rand.h"

/* The tone's share after A-law or µ-law is 100; read by the other law it would still be 90. */
enum { RTP_HEAD = 12, G729_FRAME = 20, PACKET_MAX = 2048, SHARE_MIN = 95 };

static enum law law_of(int payload)
{
	return payload == TALK_PCMA ? LAW_A : LAW_MU;
}

static uint8_t sign_of(int hz)
{
	return (uint8_t)(hz / 50);
}

/* Does the payload hold the other end's tone? */
static bool is_heard(const struct talk *t, const uint8_t *p, size_t n)
{
	if (t->payload == TALK_G729) {
		for (size_t i = 0; i < n; i++) {
			if (p[i] != sign_of(t->hear_hz))
				return false;
		}
		return n == G729_FRAME;
	}
	return n == TONE_FRAME &&
	       tone_share(law_of(t->payload), p, (int)n, t->hear_hz) >= SHARE_MIN;
}

static void take(struct talk *t, const uint8_t *p, size_t n, const struct addr *from)
{
	struct rtp_header h;

	if (!addr_is_set(&t->remote))
		return; /* the other end was told of us before we were of it */
	if (!rtp_read(str_n(p, n), &h) || n <= RTP_HEAD || h.payload_type != t->payload ||
	    !addr_eq(from, &t->remote)) {
		t->foreign++;
		return;
	}
	t->received++;
	rtp_count(&t->count, &h, (uint32_t)(t->loop->now_ms * (TONE_RATE / 1000)));
	if (is_heard(t, p + RTP_HEAD, n - RTP_HEAD))
		t->heard++;
}

static void on_ready(struct event *e, uint32_t events)
{
	struct talk *t = CONTAINER(e, struct talk, event);
	uint8_t packet[PACKET_MAX];
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	struct addr peer;
	ssize_t n;

	(void)events;
	while ((n = recvfrom(t->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &size)) >= 0) {
		if (addr_from_sa((const struct sockaddr *)&from, size, &peer) == 0)
			take(t, packet, (size_t)n, &peer);
		size = sizeof(from);
	}
}

static size_t put_head(const struct talk *t, uint8_t *p)
{
	const uint8_t head[RTP_HEAD] = { 0x80,
					 (uint8_t)((t->sent == 0) << 7 | t->payload),
					 (uint8_t)(t->sequence >> 8),
					 (uint8_t)t->sequence,
					 (uint8_t)(t->timestamp >> 24),
					 (uint8_t)(t->timestamp >> 16),
					 (uint8_t)(t->timestamp >> 8),
					 (uint8_t)t->timestamp,
					 (uint8_t)(t->ssrc >> 24),
					 (uint8_t)(t->ssrc >> 16),
					 (uint8_t)(t->ssrc >> 8),
					 (uint8_t)t->ssrc };

	memcpy(p, head, sizeof(head));
	return sizeof(head);
}

static void send_frame(struct talk *t)
{
	uint8_t packet[RTP_HEAD + TONE_FRAME];
	size_t n = put_head(t, packet);

	if (t->payload == TALK_G729) {
		memset(packet + n, sign_of(t->tone.hz), G729_FRAME);
		n += G729_FRAME;
	} else {
		tone_fill(&t->tone, law_of(t->payload), packet + n, TONE_FRAME);
		n += TONE_FRAME;
	}
	t->sequence++;
	t->timestamp += (uint32_t)(t->every_ms * (TONE_RATE / 1000));
	if (sendto(t->fd, packet, n, MSG_DONTWAIT, &t->remote.sa, addr_len(&t->remote)) >= 0)
		t->sent++;
}

/* A loop that was late does not make up for it with a burst. */
static void on_due(struct timer *timer, int64_t now_ms)
{
	struct talk *t = CONTAINER(timer, struct talk, timer);

	send_frame(t);
	t->next_ms += t->every_ms;
	if (t->next_ms <= now_ms)
		t->next_ms = now_ms + t->every_ms;
	timer_start(&t->loop->wheel, timer, t->next_ms);
}

static int bind_port(struct talk *t, const struct addr *host)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	struct addr any = *host;

	addr_set_port(&any, 0);
	if (bind(t->fd, &any.sa, addr_len(&any)) < 0 ||
	    getsockname(t->fd, (struct sockaddr *)&bound, &size) < 0)
		return -errno;
	return addr_from_sa((const struct sockaddr *)&bound, size, &t->local);
}

int talk_open(struct talk *t, struct loop *loop, const struct addr *host)
{
	*t = (struct talk){ .loop = loop, .fd = -1 };
	timer_init(&t->timer, on_due);
	t->fd = socket(host->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return -errno;
	int r = bind_port(t, host);
	if (r == 0)
		r = loop_add(loop, &t->event, t->fd, EPOLLIN, on_ready);
	if (r < 0)
		talk_close(t);
	return r;
}

void talk_start(struct talk *t, const struct addr *peer, int payload, int send_hz, int hear_hz,
		int every_ms)
{
	t->remote = *peer;
	t->payload = payload;
	t->tone = (struct tone){ .hz = send_hz };
	t->hear_hz = hear_hz;
	t->every_ms = every_ms;
	t->sequence = (uint16_t)rand_below(UINT16_MAX);
	t->ssrc = (uint32_t)rand_u64();
	t->next_ms = t->loop->now_ms;
	timer_start(&t->loop->wheel, &t->timer, t->next_ms);
}

void talk_stop(struct talk *t)
{
	if (t->fd >= 0)
		timer_stop(&t->timer);
}

void talk_close(struct talk *t)
{
	if (t->fd < 0)
		return;
	timer_stop(&t->timer);
	loop_del(t->loop, &t->event);
	(void)close(t->fd);
	t->fd = -1;
}
