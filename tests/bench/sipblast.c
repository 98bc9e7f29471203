/* sipblast: lean SIP call generator, caller and called side in one process on one thread.
 *
 * caller  INVITE -> switch; 100/180/200; ACK; hold; BYE; 200
 * called  180 at once, 200 after -g ms, 200 to BYE
 *
 * Prints one line of key=value figures. Latencies are microseconds seen by the caller:
 *   l180  INVITE sent -> 180 received      (called side answers 180 at once)
 *   l200  INVITE sent -> 200 received, less the -g ringing time
 *   lbye  BYE sent -> 200 received
 * Build: cc -O2 -o sipblast sipblast.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define T1_NS  500000000ull
#define MAXTRY 8
#define VL     64
#define BUF    8192

enum { S_NEW, S_INV, S_PROC, S_UP, S_BYE, S_OK, S_FAIL };

struct call {
	uint64_t t_inv, t_bye, due;
	uint8_t st, tries, got180;
	uint16_t code;
	char *to, *ruri, *routes; /* dialog state from the 200 */
};

struct fifo {
	uint64_t *due;
	uint32_t *id;
	size_t n, h, t;
};

static void fpush(struct fifo *f, uint64_t due, uint32_t id)
{
	if (f->t - f->h == f->n) {
		size_t nn = f->n ? f->n * 2 : 4096;
		uint64_t *d = malloc(nn * sizeof *d);
		uint32_t *i = malloc(nn * sizeof *i);
		for (size_t k = f->h; k < f->t; k++) {
			d[k - f->h] = f->due[k % f->n];
			i[k - f->h] = f->id[k % f->n];
		}
		free(f->due);
		free(f->id);
		f->due = d;
		f->id = i;
		f->t -= f->h;
		f->h = 0;
		f->n = nn;
	}
	f->due[f->t % f->n] = due;
	f->id[f->t % f->n] = id;
	f->t++;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void addr(const char *s, struct sockaddr_in *a)
{
	char b[64];
	snprintf(b, sizeof b, "%s", s);
	char *c = strchr(b, ':');
	if (!c) {
		fprintf(stderr, "need ip:port, got %s\n", s);
		exit(2);
	}
	*c = 0;
	memset(a, 0, sizeof *a);
	a->sin_family = AF_INET;
	a->sin_port = htons(atoi(c + 1));
	if (inet_pton(AF_INET, b, &a->sin_addr) != 1) {
		fprintf(stderr, "bad ip %s\n", b);
		exit(2);
	}
}

static int udp(struct sockaddr_in *a)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), z = 64 << 20;
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &z, sizeof z))
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &z, sizeof z);
	if (bind(s, (void *)a, sizeof *a)) {
		perror("bind");
		exit(2);
	}
	return s;
}

/* next header line called n (or its one-letter form) from p on: start of line, length without CRLF */
static const char *hdr(const char *p, const char *n, char shortn, size_t *len)
{
	size_t nl = strlen(n);
	while (p && *p) {
		const char *e = strstr(p, "\r\n");
		if (!e || e == p)
			return NULL;
		if ((!strncasecmp(p, n, nl) && (p[nl] == ':' || p[nl] == ' ')) ||
		    (shortn && (p[0] | 32) == shortn && (p[1] == ':' || p[1] == ' '))) {
			*len = e - p;
			return p;
		}
		p = e + 2;
	}
	return NULL;
}

static const char *hval(const char *h, size_t len, size_t *vl)
{
	const char *c = memchr(h, ':', len);
	if (!c)
		return NULL;
	c++;
	while (c < h + len && (*c == ' ' || *c == '\t'))
		c++;
	*vl = h + len - c;
	return c;
}

static char *dup_n(const char *s, size_t n)
{
	char *r = malloc(n + 1);
	memcpy(r, s, n);
	r[n] = 0;
	return r;
}

static struct sockaddr_in sw, ca, ua;
static char cas[32], uas_[32], sws[32], media[64] = "127.0.0.1:6000";
static int cs = -1, us = -1;
static struct call *C;
static uint32_t N = 1000, run;
static const char *prefix = "1212555", *caller = "15550001111";
static uint64_t hold = 100000000ull, ring = 20000000ull;
static uint64_t n_retr, n_ok, n_fail, n_to, n_oos, uas_inv, uas_bye, uas_ack, n_send_err;
static uint32_t *L180, *L200, *LBYE, c180, c200, cbye, live, maxlive;
static struct fifo q_rt, q_bye, q_ring;
static volatile sig_atomic_t stop;
static int debug;

/* answers the called side owes: text of the 200, kept until the ringing time is over */
struct owed {
	char *msg;
	int len;
	struct sockaddr_in to;
};
static struct owed *O;
static uint32_t o_n, o_cap;

static void tx(int s, const char *b, int n, struct sockaddr_in *to)
{
	if (sendto(s, b, n, 0, (void *)to, sizeof *to) < 0)
		n_send_err++;
}

static char *sdp(const char *ip, int port)
{
	static char b[512];
	snprintf(b, sizeof b,
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio %d RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n",
		 ip, ip, port);
	return b;
}

static void send_invite(uint32_t i)
{
	char b[2048], ip[32];
	snprintf(ip, sizeof ip, "%s", cas);
	*strchr(ip, ':') = 0;
	char *d = sdp(ip, 10000 + (i % 20000) * 2);
	int n = snprintf(
		b, sizeof b,
		"INVITE sip:%s%04u@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKi%u-%u\r\n"
		"From: <sip:%s@%s>;tag=c%u-%u\r\nTo: <sip:%s%04u@%s>\r\nCall-ID: sb-%u-%u@%s\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:%s@%s>\r\nMax-Forwards: 70\r\nUser-Agent: "
		"sipblast\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		prefix, i % 10000, sws, cas, run, i, caller, cas, run, i, prefix, i % 10000, sws,
		run, i, ip, caller, cas, strlen(d), d);
	tx(cs, b, n, &sw);
}

static void send_indialog(uint32_t i, const char *m, int cseq)
{
	char b[4096], ip[32];
	struct call *c = &C[i];
	snprintf(ip, sizeof ip, "%s", cas);
	*strchr(ip, ':') = 0;
	int n = snprintf(b, sizeof b,
			 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%c%u-%u\r\n%sFrom: "
			 "<sip:%s@%s>;tag=c%u-%u\r\n"
			 "%s\r\nCall-ID: sb-%u-%u@%s\r\nCSeq: %d %s\r\nMax-Forwards: "
			 "70\r\nContent-Length: 0\r\n\r\n",
			 m, c->ruri, cas, m[0] | 32, run, i, c->routes ? c->routes : "", caller,
			 cas, run, i, c->to, run, i, ip, cseq, m);
	tx(cs, b, n, &sw);
}

/* ACK to a non-2xx: same branch as the INVITE */
static void send_nack(uint32_t i, const char *to, size_t tl)
{
	char b[2048], ip[32];
	snprintf(ip, sizeof ip, "%s", cas);
	*strchr(ip, ':') = 0;
	int n = snprintf(b, sizeof b,
			 "ACK sip:%s%04u@%s SIP/2.0\r\nVia: SIP/2.0/UDP "
			 "%s;branch=z9hG4bKi%u-%u\r\nFrom: <sip:%s@%s>;tag=c%u-%u\r\n"
			 "%.*s\r\nCall-ID: sb-%u-%u@%s\r\nCSeq: 1 ACK\r\nMax-Forwards: "
			 "70\r\nContent-Length: 0\r\n\r\n",
			 prefix, i % 10000, sws, cas, run, i, caller, cas, run, i, (int)tl, to, run,
			 i, ip);
	tx(cs, b, n, &sw);
}

static void end(uint32_t i, int ok)
{
	struct call *c = &C[i];
	if (c->st >= S_OK)
		return;
	c->st = ok ? S_OK : S_FAIL;
	if (ok)
		n_ok++;
	else
		n_fail++;
	live--;
	free(c->to);
	free(c->ruri);
	free(c->routes);
	c->to = c->ruri = c->routes = NULL;
}

static void keep_dialog(struct call *c, const char *m)
{
	size_t l, vl;
	const char *h = hdr(m, "To", 't', &l), *v;
	c->to = h ? dup_n(h, l) : strdup("To: <sip:x>");
	h = hdr(m, "Contact", 'm', &l);
	c->ruri = NULL;
	if (h && (v = hval(h, l, &vl))) {
		const char *a = memchr(v, '<', vl), *z = a ? memchr(a, '>', v + vl - a) : NULL;
		if (a && z)
			c->ruri = dup_n(a + 1, z - a - 1);
		else {
			const char *e = memchr(v, ';', vl);
			c->ruri = dup_n(v, e ? (size_t)(e - v) : vl);
		}
	}
	if (!c->ruri) {
		char t[80];
		snprintf(t, sizeof t, "sip:%s", sws);
		c->ruri = strdup(t);
	}
	/* Record-Route headers in reverse become the Route set */
	const char *rr[16];
	size_t rl[16];
	int n = 0;
	const char *p = m;
	while (n < 16 && (h = hdr(p, "Record-Route", 0, &l))) {
		v = hval(h, l, &vl);
		/* split a comma list */
		const char *s = v, *e = v + vl;
		while (s < e && n < 16) {
			const char *k = s;
			int q = 0;
			while (k < e && !(*k == ',' && !q)) {
				if (*k == '<')
					q = 1;
				if (*k == '>')
					q = 0;
				k++;
			}
			while (s < k && *s == ' ')
				s++;
			rr[n] = s;
			rl[n++] = k - s;
			s = k + 1;
		}
		p = h + l + 2;
	}
	c->routes = NULL;
	if (n) {
		size_t tot = 1;
		for (int k = 0; k < n; k++)
			tot += rl[k] + 16;
		char *o = c->routes = malloc(tot);
		*o = 0;
		while (n--)
			o += sprintf(o, "Route: %.*s\r\n", (int)rl[n], rr[n]);
	}
}

static void caller_rx(char *m, uint64_t now)
{
	if (strncmp(m, "SIP/2.0 ",
		    8)) { /* in-dialog request from the switch (OPTIONS, BYE): answer it */
		if (!strncmp(m, "ACK", 3))
			return;
		char b[4096];
		int n = snprintf(b, sizeof b, "SIP/2.0 200 OK\r\n");
		size_t l;
		const char *h, *p = m;
		while ((h = hdr(p, "Via", 'v', &l)) && n < 3000) {
			n += snprintf(b + n, sizeof b - n, "%.*s\r\n", (int)l, h);
			p = h + l + 2;
		}
		const char *nm[] = { "From", "To", "Call-ID", "CSeq" };
		char sn[] = { 'f', 't', 'i', 0 };
		for (int k = 0; k < 4; k++)
			if ((h = hdr(m, nm[k], sn[k], &l)) && n < 3500)
				n += snprintf(b + n, sizeof b - n, "%.*s\r\n", (int)l, h);
		n += snprintf(b + n, sizeof b - n, "Content-Length: 0\r\n\r\n");
		tx(cs, b, n, &sw);
		n_oos++;
		return;
	}
	int code = atoi(m + 8);
	size_t l, vl;
	const char *h = hdr(m, "Call-ID", 'i', &l);
	if (!h)
		return;
	const char *v = hval(h, l, &vl);
	unsigned r, i;
	if (sscanf(v, "sb-%u-%u@", &r, &i) != 2 || r != run || i >= N) {
		n_oos++;
		return;
	}
	h = hdr(m, "CSeq", 0, &l);
	if (!h)
		return;
	v = hval(h, l, &vl);
	int bye = memmem(v, vl, "BYE", 3) != NULL;
	struct call *c = &C[i];
	if (!bye) {
		if (code < 200) {
			if (c->st == S_INV)
				c->st = S_PROC;
			if (code >= 180 && !c->got180 && c->st == S_PROC) {
				c->got180 = 1;
				L180[c180++] = (now - c->t_inv) / 1000;
			}
			return;
		}
		if (code >= 300) {
			h = hdr(m, "To", 't', &l);
			if (h)
				send_nack(i, h, l);
			if (c->st < S_UP) {
				c->code = code;
				end(i, 0);
			}
			return;
		}
		if (c->st == S_INV || c->st == S_PROC) {
			uint64_t d = now - c->t_inv;
			L200[c200++] = (d > ring ? d - ring : 0) / 1000;
			keep_dialog(c, m);
			c->st = S_UP;
			send_indialog(i, "ACK", 1);
			fpush(&q_bye, now + hold, i);
		} else if (c->st == S_UP || c->st == S_BYE) {
			n_retr++;
			send_indialog(i, "ACK", 1);
		}
		return;
	}
	if (code >= 200 && c->st == S_BYE) {
		LBYE[cbye++] = (now - c->t_bye) / 1000;
		c->code = code;
		end(i, code < 300);
	}
}

static void called_rx(char *m, struct sockaddr_in *from, uint64_t now)
{
	if (!strncmp(m, "SIP/2.0 ", 8))
		return;
	if (!strncmp(m, "ACK ", 4)) {
		uas_ack++;
		return;
	}
	int inv = !strncmp(m, "INVITE ", 7);
	if (inv)
		uas_inv++;
	if (!strncmp(m, "BYE ", 4))
		uas_bye++;
	char b[6000], cm[4600];
	size_t l;
	const char *h, *p = m;
	int n = 0, has = 0;
	while ((h = hdr(p, "Via", 'v', &l)) && n < 2500) {
		n += snprintf(cm + n, sizeof cm - n, "%.*s\r\n", (int)l, h);
		p = h + l + 2;
	}
	if (inv) {
		p = m;
		while ((h = hdr(p, "Record-Route", 0, &l)) && n < 3200) {
			n += snprintf(cm + n, sizeof cm - n, "%.*s\r\n", (int)l, h);
			p = h + l + 2;
		}
	}
	if ((h = hdr(m, "From", 'f', &l)) && l < 400)
		n += snprintf(cm + n, sizeof cm - n, "%.*s\r\n", (int)l, h);
	if ((h = hdr(m, "To", 't', &l)) && l < 400) {
		has = memmem(h, l, "tag=", 4) != NULL;
		n += snprintf(cm + n, sizeof cm - n, "%.*s%s\r\n", (int)l, h,
			      has ? "" : ";tag=sbu");
	}
	if ((h = hdr(m, "Call-ID", 'i', &l)) && l < 300)
		n += snprintf(cm + n, sizeof cm - n, "%.*s\r\n", (int)l, h);
	if ((h = hdr(m, "CSeq", 0, &l)) && l < 60)
		n += snprintf(cm + n, sizeof cm - n, "%.*s\r\n", (int)l, h);
	if (!inv || has) {
		if (inv) { /* re-INVITE from the switch: answer with SDP at once */
			char ip[32];
			snprintf(ip, sizeof ip, "%s", uas_);
			*strchr(ip, ':') = 0;
			char *d = sdp(ip, 30000);
			n = snprintf(b, sizeof b,
				     "SIP/2.0 200 OK\r\n%sContact: <sip:term@%s>\r\nContent-Type: "
				     "application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
				     cm, uas_, strlen(d), d);
		} else
			n = snprintf(b, sizeof b, "SIP/2.0 200 OK\r\n%sContent-Length: 0\r\n\r\n",
				     cm);
		tx(us, b, n, from);
		return;
	}
	n = snprintf(b, sizeof b,
		     "SIP/2.0 180 Ringing\r\n%sContact: <sip:term@%s>\r\nContent-Length: 0\r\n\r\n",
		     cm, uas_);
	tx(us, b, n, from);
	char ip[32];
	snprintf(ip, sizeof ip, "%s", uas_);
	*strchr(ip, ':') = 0;
	char *d = sdp(ip, 10001 + (uas_inv % 20000) * 2 - 1);
	n = snprintf(b, sizeof b,
		     "SIP/2.0 200 OK\r\n%sContact: <sip:term@%s>\r\nContent-Type: "
		     "application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		     cm, uas_, strlen(d), d);
	if (!ring) {
		tx(us, b, n, from);
		return;
	}
	uint32_t k = o_n++ % o_cap;
	free(O[k].msg);
	O[k].msg = dup_n(b, n);
	O[k].len = n;
	O[k].to = *from;
	fpush(&q_ring, now + ring, k);
}

static int cmp(const void *a, const void *b)
{
	uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b;
	return x < y ? -1 : x > y;
}
static uint32_t pct(uint32_t *v, uint32_t n, double p)
{
	return n ? v[(uint32_t)((n - 1) * p)] : 0;
}
static void onsig(int s)
{
	(void)s;
	stop = 1;
}

static int drain(int s, int called)
{
	static char buf[VL][BUF];
	static struct mmsghdr mm[VL];
	static struct iovec iv[VL];
	static struct sockaddr_in fr[VL];
	for (int k = 0; k < VL; k++) {
		iv[k] = (struct iovec){ buf[k], BUF - 1 };
		mm[k].msg_hdr = (struct msghdr){ .msg_iov = &iv[k],
						 .msg_iovlen = 1,
						 .msg_name = &fr[k],
						 .msg_namelen = sizeof fr[k] };
	}
	int n = recvmmsg(s, mm, VL, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	uint64_t t = now_ns();
	for (int k = 0; k < n; k++) {
		buf[k][mm[k].msg_len] = 0;
		if (debug)
			fprintf(stderr, "--- %s rx\n%s\n", called ? "called" : "caller", buf[k]);
		if (called)
			called_rx(buf[k], &fr[k], t);
		else
			caller_rx(buf[k], t);
	}
	return n;
}

int main(int ac, char **av)
{
	double rate = 100;
	int o, spin = 0, drainms = 6000;
	const char *tgt = "127.0.0.1:5060", *c = "127.0.0.1:15090", *u = "127.0.0.1:15080";
	while ((o = getopt(ac, av, "t:c:u:r:n:d:g:p:f:bw:D")) != -1)
		switch (o) {
		case 't':
			tgt = optarg;
			break;
		case 'c':
			c = optarg;
			break;
		case 'u':
			u = optarg;
			break;
		case 'r':
			rate = atof(optarg);
			break;
		case 'n':
			N = atoi(optarg);
			break;
		case 'd':
			hold = atof(optarg) * 1e6;
			break;
		case 'g':
			ring = atof(optarg) * 1e6;
			break;
		case 'p':
			prefix = optarg;
			break;
		case 'f':
			caller = optarg;
			break;
		case 'b':
			spin = 1;
			break;
		case 'w':
			drainms = atoi(optarg);
			break;
		case 'D':
			debug = 1;
			break;
		default:
			fprintf(stderr, "sipblast -t switch -c callerside -u calledside(or 0) -r "
					"cps -n calls -d hold_ms -g ring_ms\n"
					"         -p called_prefix(4 digits are added) -f caller "
					"-w drain_ms -b(usy poll) -D(ebug)\n");
			return 2;
		}
	(void)media;
	addr(tgt, &sw);
	addr(c, &ca);
	snprintf(sws, sizeof sws, "%s", tgt);
	snprintf(cas, sizeof cas, "%s", c);
	cs = udp(&ca);
	if (strcmp(u, "0")) {
		addr(u, &ua);
		snprintf(uas_, sizeof uas_, "%s", u);
		us = udp(&ua);
	}
	run = (uint32_t)time(NULL) * 31u + getpid();
	C = calloc(N, sizeof *C);
	L180 = malloc(4ull * N);
	L200 = malloc(4ull * N);
	LBYE = malloc(4ull * N);
	o_cap = N * 2 + 1024;
	if (o_cap > 262144)
		o_cap = 262144;
	O = calloc(o_cap, sizeof *O);
	signal(SIGINT, onsig);
	signal(SIGTERM, onsig);
	uint64_t t0 = now_ns(), gap = 1e9 / rate, tlast = t0, tstart_end = 0;
	uint32_t next = 0;
	while (!stop) {
		uint64_t now = now_ns(), wake = now + 100000000ull;
		int did = 0;
		for (int k = 0; k < 32 && next < N && t0 + (uint64_t)next * gap <= now;
		     k++, next++) {
			C[next].st = S_INV;
			C[next].t_inv = now_ns();
			C[next].tries = 1;
			send_invite(next);
			fpush(&q_rt, now + T1_NS, next);
			if (++live > maxlive)
				maxlive = live;
			did = 1;
			if (next + 1 == N)
				tstart_end = now;
		}
		if (cs >= 0)
			did |= drain(cs, 0) > 0;
		if (us >= 0)
			did |= drain(us, 1) > 0;
		now = now_ns();
		while (q_ring.h < q_ring.t && q_ring.due[q_ring.h % q_ring.n] <= now) {
			struct owed *w = &O[q_ring.id[q_ring.h++ % q_ring.n]];
			tx(us, w->msg, w->len, &w->to);
			did = 1;
		}
		while (q_bye.h < q_bye.t && q_bye.due[q_bye.h % q_bye.n] <= now) {
			uint32_t i = q_bye.id[q_bye.h++ % q_bye.n];
			if (C[i].st != S_UP)
				continue;
			C[i].st = S_BYE;
			C[i].t_bye = now;
			C[i].tries = 1;
			send_indialog(i, "BYE", 2);
			fpush(&q_rt, now + T1_NS, i);
			did = 1;
		}
		while (q_rt.h < q_rt.t && q_rt.due[q_rt.h % q_rt.n] <= now) {
			uint32_t i = q_rt.id[q_rt.h++ % q_rt.n];
			struct call *k = &C[i];
			if (k->st == S_PROC && k->tries < 250) {
				k->tries++;
				fpush(&q_rt, now + T1_NS, i);
				continue;
			}
			if (k->st != S_INV && k->st != S_BYE) {
				if (k->st == S_PROC) {
					n_to++;
					end(i, 0);
				}
				continue;
			}
			if (k->st == S_BYE && now - k->t_bye < T1_NS / 2)
				continue; /* entry of the INVITE */
			if (k->tries >= MAXTRY) {
				n_to++;
				end(i, 0);
				continue;
			}
			k->tries++;
			n_retr++;
			if (k->st == S_INV)
				send_invite(i);
			else
				send_indialog(i, "BYE", 2);
			fpush(&q_rt, now + T1_NS, i);
		}
		if (next == N && !live)
			break;
		if (did)
			tlast = now;
		if (next == N && now - tlast > (uint64_t)drainms * 1000000ull + hold)
			break;
		if (did || spin)
			continue;
		if (next < N && t0 + (uint64_t)next * gap < wake)
			wake = t0 + (uint64_t)next * gap;
		if (q_ring.h < q_ring.t && q_ring.due[q_ring.h % q_ring.n] < wake)
			wake = q_ring.due[q_ring.h % q_ring.n];
		if (q_bye.h < q_bye.t && q_bye.due[q_bye.h % q_bye.n] < wake)
			wake = q_bye.due[q_bye.h % q_bye.n];
		if (wake > now) {
			struct timespec ts = { (wake - now) / 1000000000ull,
					       (wake - now) % 1000000000ull };
			struct pollfd pf[2] = { { cs, POLLIN, 0 }, { us, POLLIN, 0 } };
			ppoll(pf, us >= 0 ? 2 : 1, &ts, NULL);
		}
	}
	uint32_t made = next, hung = 0, codes[700] = { 0 };
	for (uint32_t i = 0; i < made; i++) {
		if (C[i].st != S_OK && C[i].st != S_FAIL)
			hung++;
		if (C[i].st == S_FAIL && C[i].code < 700)
			codes[C[i].code]++;
	}
	qsort(L180, c180, 4, cmp);
	qsort(L200, c200, 4, cmp);
	qsort(LBYE, cbye, 4, cmp);
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	double sec = ((tstart_end ? tstart_end : now_ns()) - t0) / 1e9;
	printf("calls=%u ok=%lu fail=%lu hung=%u timeout=%lu retrans=%lu cps=%.0f maxlive=%u "
	       "l180_p50=%u l180_p99=%u l200_p50=%u l200_p90=%u l200_p99=%u l200_max=%u "
	       "lbye_p50=%u lbye_p99=%u "
	       "uas_inv=%lu uas_ack=%lu uas_bye=%lu gen_cpu=%.2f",
	       made, n_ok, n_fail, hung, n_to, n_retr, sec > 0 ? made / sec : 0, maxlive,
	       pct(L180, c180, .5), pct(L180, c180, .99), pct(L200, c200, .5), pct(L200, c200, .9),
	       pct(L200, c200, .99), pct(L200, c200, 1), pct(LBYE, cbye, .5), pct(LBYE, cbye, .99),
	       uas_inv, uas_ack, uas_bye,
	       ru.ru_utime.tv_sec + ru.ru_stime.tv_sec +
		       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
	for (int k = 0; k < 700; k++)
		if (codes[k])
			printf(" code%d=%u", k, codes[k]);
	printf("\n");
	return 0;
}
