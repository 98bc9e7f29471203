/* party: what stage.c and party.c share of one end of a call. */
#pragma once

#include "golive/stage.h"

/* NULL if memory or ports are short. */
struct party *party_create(struct stage *s, enum end end);
void party_free(struct party *p);
/* Whatever it is in the middle of: BYE, CANCEL or a refusal goes out, and nobody waits for more. */
void party_end(struct party *p);
/* A new INVITE, an ACK, or a BYE for this party. */
void party_invited(struct party *p, struct server_txn *t, const struct msg *m);
void party_request(struct party *p, struct server_txn *t, const struct msg *m);
struct flow party_flow(const struct party *p, const struct addr *peer);
