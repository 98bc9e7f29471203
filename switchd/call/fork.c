#include <stdlib.h>

#include "call/inner.h"

/* A vendor may make so many dialogs of one INVITE; what belongs to further ones is not heard. */
enum { FORKS_MAX = 16 };

static struct fork *find(struct leg *l, struct str tag, int *ret_count)
{
	struct list *it, *tmp;

	*ret_count = 0;
	LIST_EACH (it, tmp, &l->forks) {
		struct fork *f = CONTAINER(it, struct fork, node);

		if (str_eq(str_of(f->tag), tag))
			return f;
		++*ret_count;
	}
	return NULL;
}

struct fork *fork_get(struct leg *l, struct str tag)
{
	int count;
	struct fork *f = find(l, tag, &count);

	if (f || count >= FORKS_MAX)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->tag = str_dup(tag);
	if (!f->tag) {
		free(f);
		return NULL;
	}
	list_init(&f->node);
	list_add_tail(&l->forks, &f->node);
	return f;
}

void forks_done(struct leg *l)
{
	struct list *first;

	while ((first = list_shift(&l->forks))) {
		struct fork *f = CONTAINER(first, struct fork, node);

		free(f->tag);
		free(f);
	}
}

/* The dialog that the 2xx made, as far as ACK and BYE need it. */
static int dialog_of(struct dialog *d, const struct msg *ok)
{
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT;
	CLEANUP(buf_done) struct buf call_id = BUF_INIT, tag = BUF_INIT;

	msg_put_party(ok, true, &local);
	msg_put_party(ok, false, &remote);
	buf_put(&call_id, ok->call_id);
	buf_put(&tag, ok->from_tag);

	const char *id = buf_cstr(&call_id), *own = buf_cstr(&tag);

	if (!id || !own || buf_error(&local) || buf_error(&remote) ||
	    dialog_for_invite(d, id, own, buf_str(&local), buf_str(&remote), ok->to_uri_text,
			      &ok->flow) < 0)
		return -1;
	d->local_cseq = ok->cseq;
	if (dialog_update(d, ok) == 0)
		return 0;
	dialog_done(d);
	return -1;
}

static void put(struct worker *w, struct dialog *d, const struct msg *ok, enum method method)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	char branch[STEER_BRANCH];
	struct addr local;
	struct client_txn *t;
	struct draft draft = { .method = method,
			       .cseq = method == METHOD_ACK ? ok->cseq : 0,
			       .branch = branch,
			       .local = &local };

	transport_local(w->transport, &d->flow, &local);
	steer_mint_branch(branch, w->c.index);
	dialog_put_request(d, &draft, &out);
	if (buf_error(&out))
		return;
	if (method == METHOD_ACK)
		(void)sip_send(w->sip, &d->flow, buf_str(&out));
	else if (client_send(&t, w->sip, method, branch, &d->flow, buf_str(&out), NULL, NULL) == 0)
		client_detach(t);
}

void fork_release(struct worker *w, struct leg *l, const struct msg *ok)
{
	struct fork *f = l ? fork_get(l, ok->to_tag) : NULL;
	struct dialog d;

	if ((l && !f) || dialog_of(&d, ok) < 0)
		return;
	/* All dialogs of the INVITE draw from one count: what one of them was sent before is below it. */
	if (l && l->dialog.local_cseq > d.local_cseq)
		d.local_cseq = l->dialog.local_cseq;
	put(w, &d, ok, METHOD_ACK);
	if (!f || !f->is_released)
		put(w, &d, ok, METHOD_BYE);
	if (f)
		f->is_released = true;
	dialog_done(&d);
}
