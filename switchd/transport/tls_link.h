/*
 * tls_link: TLS on one connection: its handshake, and the bytes in it. Belongs to the connection.
 *
 * Nothing here waits: -EAGAIN says that the socket has to be ready first, for what tls_link_wants
 * says. Whoever uses it ignores SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "transport/tls.h"
#include "transport/tls_policy.h"

struct tls_link;

/* We are the server. fd is a loan. 0 or -ENOMEM. */
int tls_link_accept(struct tls_link **ret, struct tls *t, int fd);
/* We are the client, of the host at this address. The policy is a loan. */
int tls_link_connect(struct tls_link **ret, struct tls *t, int fd, const struct addr *peer,
		     const struct tls_policy *policy);
/* Says goodbye if there is a way. Accepts NULL. */
struct tls_link *tls_link_free(struct tls_link *l);

/*
 * 0 once it is done; -EAGAIN. Else the peer is not to be spoken to: -EKEYEXPIRED (its certificate
 * is not in its time), -EKEYREJECTED (not for this name, or not the key that is expected), -EKEYREVOKED,
 * -ENOKEY (from nobody we trust); -EBADMSG (what it sends is no TLS); -EPROTO (no agreement, or it refused);
 * -ECONNRESET.
 */
int tls_link_shake(struct tls_link *l);
/* At most n octets, which is room for a record at least; 0: closed; -EAGAIN, -EPROTO, -ECONNRESET. */
ssize_t tls_link_read(struct tls_link *l, char *to, size_t n);
/* The end was seen behind what the last read gave: the next one tells it, though nothing more comes. */
bool tls_link_is_over(const struct tls_link *l);
/* How many of the octets were taken; after -EAGAIN the same ones come again, or more behind them. */
ssize_t tls_link_write(struct tls_link *l, const char *p, size_t n);
/* EPOLLIN or EPOLLOUT: what the last -EAGAIN of a handshake or a read waits for; 0: none. */
uint32_t tls_link_wants(const struct tls_link *l);
/* htab_hash of the pin of the certificate that the peer showed; 0: none. */
uint64_t tls_link_cert(const struct tls_link *l);
