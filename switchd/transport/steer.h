/*
 * steer: which worker does this message belong to?
 *
 * Every tag and branch that we mint begins with our letter and the worker's number, so whatever
 * answers us or comes inside a dialog leads back; a first request is spread by a hash of its
 * Call-ID, which its CANCEL and the ACK of a refusal share. The message is only peeked at here,
 * without parsing: any bytes give some answer.
 */
#pragma once

#include "base/str.h"

enum { STEER_TOKEN = 20 }; /* "t" worker(2 hex) random(16 hex) and the NUL */
/* What every branch starts with (RFC 3261 §8.1.1.7), and room for a whole one of ours. */
#define STEER_COOKIE "z9hG4bK"
enum { STEER_BRANCH = sizeof(STEER_COOKIE) - 1 + STEER_TOKEN };

/* In the user of a Request-URI: a token follows, whose worker the whole call belongs to. */
#define STEER_REFERRED ";x-ref="

/* A fresh token for a tag, or behind the cookie for a branch. */
void steer_mint(char out[STEER_TOKEN], int worker);
/* A fresh branch: the cookie and a token. */
void steer_mint_branch(char out[STEER_BRANCH], int worker);
/* The worker that a token of ours names, or -1 if it is none of ours. */
int steer_token_worker(struct str token);
/*
 * Any message → 0 .. workers - 1. A token that names more workers than there are (from before a
 * restart) is taken modulo.
 */
int steer_peek(struct str raw, int workers);
/*
 * This worker has taken an INVITE with that Call-ID: its CANCEL goes there too, though by the Call-ID
 * alone it might not. To be said before the first answer leaves; by any thread.
 */
void steer_stray(struct str call_id, int worker, int workers);
/*
 * The worker that a user's registration belongs to; steer_peek gives it REGISTER by the user in To.
 */
int steer_user(struct str user, int workers);
