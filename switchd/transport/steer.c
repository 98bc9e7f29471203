#include "transport/steer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/htab.h"
#include "base/rand.h"
#include "transport/field.h"

/*
 * A call lives on one worker, but what belongs to it may come in at any: the kernel spreads datagrams
 * by address and port, a trunk is one address and port, and a connection is read by whoever accepted
 * it. So whoever reads a message looks whose it is before anything is parsed, and hands it over.
 *
 *	t 05 0123456789abcdef      a token: our letter, the worker in hex, 64 random bits
 *
 *	our tag, in the From of the requests that we send and the To of the answers that we give
 *	   → comes back in the To of what the peer sends inside the dialog
 *	our branch, in the Via of the requests that we send
 *	   → comes back in the top Via of the answers
 *
 * What has no token yet is the first request of a call, and what belongs to that one alone: its
 * repeats, its CANCEL, the ACK of a refusal that some other element made. They share a Call-ID. The
 * hash is keyed: a stranger cannot load one worker, and where a call goes is decided anew by each
 * run, which nobody needs to know. Our answer to that first request carries our tag, so from then on
 * the token leads to the same worker as the hash did.
 *
 * An INVITE with Replaces goes where that leads, and its CANCEL, which has no Replaces, has to follow.
 * So the worker that takes such an INVITE notes it (strayed[]) before its 100 leaves, and no CANCEL
 * may come before that. A place holds one note, the last; one that is lost costs the CANCEL a 481.
 *
 * A token is believed without proof. Who forges one reaches a worker that does not know the dialog
 * and says so; it is no more than sending to another port.
 *
 * REGISTER is of no call: the user in its To decides, so that one worker has the say about each
 * registration (phone/registrar.h).
 *
 * What it costs: 290 ns for an INVITE of fifteen fields, 4 µs less than parsing it twice.
 */

static const char HEX[] = "0123456789abcdef";

enum { LETTER = 't', RANDOM_BYTES = 8 };

/* By Call-ID: its hash, but for the lowest bits, which are the worker's number. Of all workers. */
enum { STRAYED = 1024, WORKER_BITS = 8 };
static _Atomic uint64_t strayed[STRAYED];

static char *put_hex(char *out, unsigned char byte)
{
	*out++ = HEX[byte >> 4];
	*out++ = HEX[byte & 15];
	return out;
}

void steer_mint(char out[STEER_TOKEN], int worker)
{
	unsigned char random[RANDOM_BYTES];

	assert(worker >= 0 && worker < 256);
	rand_bytes(random, sizeof(random));
	*out++ = LETTER;
	out = put_hex(out, (unsigned char)worker);
	for (int i = 0; i < RANDOM_BYTES; i++)
		out = put_hex(out, random[i]);
	*out = '\0';
}

void steer_mint_branch(char out[STEER_BRANCH], int worker)
{
	memcpy(out, STEER_COOKIE, sizeof(STEER_COOKIE) - 1);
	steer_mint(out + sizeof(STEER_COOKIE) - 1, worker);
}

int steer_token_worker(struct str token)
{
	if (token.n != STEER_TOKEN - 1 || token.p[0] != LETTER)
		return -1;
	for (size_t i = 1; i < token.n; i++)
		if (str_hex_digit(token.p[i]) < 0)
			return -1;
	return str_hex_digit(token.p[1]) * 16 + str_hex_digit(token.p[2]);
}

/* The first value of Via names who answers come back to; a second one on the line is another's. */
static int via_worker(struct str value)
{
	ptrdiff_t comma = str_chr(value, ',');
	struct str top = comma < 0 ? value : str_head(value, (size_t)comma);
	struct str branch = field_param(field_address_params(top), STR("branch"));

	if (!str_has_prefix(branch, STR(STEER_COOKIE)))
		return -1;
	return steer_token_worker(str_skip(branch, sizeof(STEER_COOKIE) - 1));
}

static int to_worker(struct str value)
{
	return steer_token_worker(field_param(field_address_params(value), STR("tag")));
}

static int hashed_worker(uint64_t hash, int workers)
{
	return (int)(hash % (uint64_t)workers);
}

int steer_user(struct str user, int workers)
{
	return workers > 1 ? hashed_worker(htab_hash(user), workers) : 0;
}

void steer_stray(struct str call_id, int worker, int workers)
{
	uint64_t hash = htab_hash(call_id), note = hash >> WORKER_BITS << WORKER_BITS;
	_Atomic uint64_t *place = &strayed[hash % STRAYED];

	if (workers > 1 && hashed_worker(hash, workers) != worker)
		atomic_store(place, note | (uint64_t)worker);
	else if (atomic_load(place) >> WORKER_BITS == hash >> WORKER_BITS)
		atomic_store(place, 0); /* of an earlier INVITE */
}

static int cancelled_worker(uint64_t hash, int workers)
{
	uint64_t note = atomic_load(&strayed[hash % STRAYED]);

	return note >> WORKER_BITS == hash >> WORKER_BITS
		       ? (int)(note & ((1 << WORKER_BITS) - 1)) % workers
		       : hashed_worker(hash, workers);
}

/* `"a<b" <sip:1001@host>;x=y` → `1001`. No '<' is in a URI, so the last one opens it. */
static struct str user_of(struct str value)
{
	struct str s = str_head(value, value.n - field_address_params(value).n);
	ptrdiff_t at;

	while ((at = str_chr(s, '<')) >= 0)
		s = str_skip(s, (size_t)at + 1);
	at = str_chr(s, ':');
	s = str_skip(s, (size_t)(at + 1));
	at = str_chr(s, '@');
	return str_head(s, at > 0 ? (size_t)at : 0);
}

/* Is the field this one, by its compact or its long name? */
static bool is_named(const struct field *f, char compact, struct str name)
{
	return f->name.n == 1 ? (f->name.p[0] | 0x20) == compact : str_ieq(f->name, name);
}

/* Of what a REFER led to: the worker that the token in its Request-URI names (call/transfer.h), or -1. */
static int referred_worker(struct str first)
{
	ptrdiff_t at = str_find(first, STR(STEER_REFERRED));

	if (at < 0)
		return -1;
	return steer_token_worker(str_head(str_skip(first, (size_t)at + sizeof(STEER_REFERRED) - 1),
					   STEER_TOKEN - 1));
}

/* Of an INVITE that takes somebody's place in a call (RFC 3891): the worker that has that call, or -1. */
static int replaced_worker(struct str value)
{
	ptrdiff_t at = str_chr(value, ';');

	return at > 0 ? steer_token_worker(field_param(str_skip(value, (size_t)at), STR("to-tag")))
		      : -1;
}

/*
 * One pass over the header fields, stopping as soon as the worker is known. What leads back to us
 * is the top Via's branch in a response and the tag of To in a request; where that is not ours the
 * Call-ID decides, unless an INVITE has Replaces, which may stand anywhere. Each counts at its first
 * occurrence, and the rest is the parser's to complain about.
 */
int steer_peek(struct str raw, int workers)
{
	if (workers <= 1)
		return 0;

	struct str first = field_start_line(&raw);
	int referred = referred_worker(first);
	bool is_response = str_has_prefix(first, STR("SIP/2.0 "));
	bool is_register = str_has_prefix(first, STR("REGISTER "));
	bool is_cancel = str_has_prefix(first, STR("CANCEL "));
	bool may_replace = referred < 0 && str_has_prefix(first, STR("INVITE "));
	bool is_judged = false; /* the Via or To was seen, and is not ours */
	struct str call_id = { 0 };
	struct field f;

	while ((!is_judged || !call_id.p || may_replace) && field_next(&raw, &f)) {
		int worker = -1;

		if (!call_id.p && is_named(&f, 'i', STR("Call-ID"))) {
			call_id = f.value;
			continue;
		}
		if (may_replace && str_ieq(f.name, STR("Replaces"))) {
			referred = replaced_worker(f.value);
			may_replace = false;
			continue;
		}
		if (is_judged)
			continue;
		if (is_register && is_named(&f, 't', STR("To")))
			return steer_user(user_of(f.value), workers);
		if (is_response && is_named(&f, 'v', STR("Via")))
			worker = via_worker(f.value);
		else if (!is_response && is_named(&f, 't', STR("To")))
			worker = to_worker(f.value);
		else
			continue;
		if (worker >= 0)
			return worker % workers;
		is_judged = true;
	}
	if (referred >= 0)
		return referred % workers;
	if (!call_id.p)
		return 0;
	return is_cancel ? cancelled_worker(htab_hash(call_id), workers)
			 : hashed_worker(htab_hash(call_id), workers);
}
