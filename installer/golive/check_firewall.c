#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "golive/inner.h"
#include "golive/scan.h"

/* The firewall, from outside: only what may answer does. */

enum { SCAN_MS = 120000, NAMED_MAX = 8, DHCP_CLIENT = 68 };

/* What may answer besides. */
struct doors {
	const uint16_t *tcp;
	int64_t media_first, media_last; /* UDP: let through, though mostly nobody listens */
};

static bool is_tcp_door(const struct doors *d, int port)
{
	for (int i = 0; i < GOLIVE_PORTS_MAX && d->tcp[i]; i++) {
		if (d->tcp[i] == port)
			return true;
	}
	return false;
}

static bool is_udp_door(const struct doors *d, int port)
{
	return port >= d->media_first && port <= d->media_last;
}

static void read_media_ports(struct golive *g, struct doors *d)
{
	CLEANUP(json_decref)
	json_t *p = ask(g, "parameter.show", json_pack("{s:s}", "name", "SS_MEDIA_PORT_RANGE"));
	struct str rest = str_of(text_in(p, "value")), first, last;

	if (!str_split(&rest, ',', &first) || !str_split(&rest, ',', &last) ||
	    str_to_i64(first, 1, UINT16_MAX, &d->media_first) < 0 ||
	    str_to_i64(last, 1, UINT16_MAX, &d->media_last) < 0)
		d->media_first = d->media_last = 0;
}

typedef bool is_door_fn(const struct doors *d, int port);

static void put_ports(struct buf *out, const uint8_t *answer, enum scan_answer which,
		      const struct doors *d, is_door_fn *is_door, bool allowed)
{
	const char *proto = is_door == is_tcp_door ? "tcp" : "udp";
	int named = 0;

	for (int port = 1; port < 65536 && named <= NAMED_MAX; port++) {
		if (answer[port] != which || is_door(d, port) != allowed)
			continue;
		if (named++ < NAMED_MAX)
			buf_printf(out, "%s%s %d", out->n ? ", " : "", proto, port);
		else
			buf_putz(out, " and more");
	}
}

static void judge(struct golive *g, const struct scan_result *r)
{
	CLEANUP(buf_done) struct buf right = BUF_INIT;
	CLEANUP(buf_done) struct buf open = BUF_INIT;
	CLEANUP(buf_done) struct buf bare = BUF_INIT;
	struct doors d = { .tcp = g->c.open_tcp };

	read_media_ports(g, &d);
	put_ports(&right, r->tcp, SCAN_OPEN, &d, is_tcp_door, true);
	put_ports(&open, r->tcp, SCAN_OPEN, &d, is_tcp_door, false);
	put_ports(&open, r->udp, SCAN_OPEN, &d, is_udp_door, false);
	put_ports(&bare, r->tcp, SCAN_REFUSED, &d, is_tcp_door, false);
	put_ports(&bare, r->udp, SCAN_REFUSED, &d, is_udp_door, false);
	note(g,
	     "65535 TCP ports and the UDP ports of usual services asked; open and meant to be: "
	     "%s; not meant to be: %s; refused instead of dropped: %s",
	     right.n ? buf_cstr(&right) : "none", open.n ? buf_cstr(&open) : "none",
	     bare.n ? buf_cstr(&bare) : "none");
	if (open.n > 0)
		fail(g, "ports answer from outside that are not part of the switch: %s",
		     buf_cstr(&open));
	else if (bare.n > 0)
		fail(g, "the firewall lets packets through to closed ports: %s", buf_cstr(&bare));
	else if (right.n == 0)
		fail(g, "nothing answers from outside, not even what should: the machine cannot be "
			"reached, or the scan cannot");
}

static bool is_scanned(void *ctx)
{
	return scan_is_done(ctx);
}

void check_firewall(struct golive *g)
{
	struct err err = ERR_INIT;
	struct addr target = g->c.scan_address;
	struct scan s;

	if (!addr_is_set(&target) && !addr_is_loopback(&g->stage.to))
		target = g->stage.to;
	if (g->c.is_scan_off) {
		leave(g, GOLIVE_NOT_RUN, "the scan was switched off");
		return;
	}
	if (g->c.scan_netns && !addr_is_set(&target)) {
		leave(g, GOLIVE_NOT_RUN,
		      "the machine's address, as seen from outside, is not given");
		return;
	}
	if (scan_start(&s, g->c.scan_netns, &target, &err) < 0) {
		leave(g, GOLIVE_NOT_RUN, "%s", err.message);
		advise(g,
		       "Run the test as root on the machine itself, or scan it from another one: "
		       "only the ports of SIP, media, SSH and the API may answer.");
		return;
	}
	if (!await(g, is_scanned, &s, SCAN_MS))
		leave(g, GOLIVE_NOT_RUN, "the scan did not end in time");
	else if (s.result->error < 0)
		leave(g, GOLIVE_NOT_RUN, "the scan could not be done: %s",
		      strerror(-s.result->error));
	else
		judge(g, s.result);
	scan_done(&s);
}
