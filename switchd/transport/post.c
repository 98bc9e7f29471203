#include "transport/post.h"

#include <errno.h>
#include <stdlib.h>

/* What stands before the bytes of a record. */
struct label {
	uint32_t kind; /* enum post_kind */
	int32_t error;
	struct flow flow;
};

/* One other worker. */
struct neighbour {
	struct inbox inbox;
	struct post *post;
	struct ring *to; /* NULL: that is ourselves */
	bool is_written; /* since the last flush */
};

struct post {
	struct loop *loop;
	post_fn *on_mail;
	void *ctx;
	int workers;
	struct neighbour neighbour[];
};

static void on_record(struct inbox *in, const void *record, size_t n)
{
	struct post *p = CONTAINER(in, struct neighbour, inbox)->post;
	struct label l;

	memcpy(&l, record, sizeof(l));
	p->on_mail(p->ctx, (enum post_kind)l.kind, &l.flow, l.error,
		   str_skip(str_n(record, n), sizeof(l)));
}

int post_create(struct post **ret, struct loop *loop, struct ring *const *to,
		struct ring *const *from, int workers, post_fn *on_mail, void *ctx)
{
	struct post *p = calloc(1, sizeof(*p) + (size_t)workers * sizeof(p->neighbour[0]));

	if (!p)
		return -ENOMEM;
	*p = (struct post){ .loop = loop, .on_mail = on_mail, .ctx = ctx };
	for (int r = 0; p->workers < workers; p->workers++) {
		struct neighbour *n = &p->neighbour[p->workers];

		n->post = p;
		n->to = to ? to[p->workers] : NULL;
		if (from && from[p->workers])
			r = loop_add_inbox(loop, &n->inbox, from[p->workers], on_record);
		if (r < 0) {
			(void)post_free(p);
			return r;
		}
	}
	*ret = p;
	return 0;
}

struct post *post_free(struct post *p)
{
	for (int i = 0; p && i < p->workers; i++)
		if (p->neighbour[i].inbox.ring)
			loop_del_inbox(p->loop, &p->neighbour[i].inbox);
	free(p);
	return NULL;
}

bool post_push(struct post *p, int worker, enum post_kind kind, const struct flow *flow, int error,
	       struct str bytes)
{
	struct neighbour *n = &p->neighbour[worker];
	struct label l;

	if (!n->to)
		return false;
	memset(&l, 0, sizeof(l)); /* padding too: it is read as bytes */
	l.kind = (uint32_t)kind;
	l.error = error;
	l.flow = *flow;
	if (!ring_push(n->to, &l, sizeof(l), bytes.p, bytes.n))
		return false;
	n->is_written = true;
	return true;
}

void post_flush(struct post *p)
{
	for (int i = 0; i < p->workers; i++) {
		if (p->neighbour[i].is_written)
			ring_flush(p->neighbour[i].to);
		p->neighbour[i].is_written = false;
	}
}
