#include "transport/local.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { KEEP_MS = 10000, ANY_PORT = 5060 };

/* Connecting a UDP socket sends nothing: it only makes the kernel choose. */
static int ask_kernel(const struct addr *peer, struct addr *ret)
{
	CLEANUP(close) int fd = socket(peer->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage source;
	socklen_t n = sizeof(source);
	struct addr to = *peer;

	addr_set_port(&to, ANY_PORT);
	if (fd < 0 || connect(fd, &to.sa, addr_len(&to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&source, &n) < 0)
		return -errno;

	int r = addr_from_sa((struct sockaddr *)&source, n, ret);

	if (r == 0)
		addr_set_port(ret, 0);
	return r;
}

int local_find(struct local *l, const struct addr *peer, int64_t now_ms, struct addr *ret)
{
	size_t i = addr_hash_host(peer) % LOCAL_SLOTS;

	if (l->slot[i].until_ms <= now_ms || !addr_eq_host(&l->slot[i].peer, peer)) {
		struct addr source;
		int r = ask_kernel(peer, &source);

		if (r < 0)
			return r;
		l->slot[i].peer = *peer;
		l->slot[i].source = source;
		l->slot[i].until_ms = now_ms + KEEP_MS;
	}
	*ret = l->slot[i].source;
	return 0;
}
