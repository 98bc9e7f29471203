#include "courier/messenger.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "courier/inner.h"

enum { QUEUE = 1000, TRIES = 7, AGAIN_MS = 1000 };

struct message {
	struct list node;
	struct smtp_mail mail; /* its texts are those below */
	struct buf text[5];    /* host, from, to, subject, text; of a post: URL, JSON */
	int tries;
	ms_t due;
};

struct outlet {
	enum messenger_kind kind;
	pthread_t thread;
	bool is_running;
	int news, end;        /* eventfds */
	pthread_mutex_t lock; /* of what follows */
	struct list queue;
	struct messenger_state state;
};

struct messenger {
	struct outlet outlet[MESSENGER_COUNT];
};

static void message_free(struct message *m)
{
	for (int i = 0; i < 5; i++)
		buf_done(&m->text[i]);
	free(m);
}

/* ---- the thread ---- */

static int deliver(const struct outlet *o, struct message *m, struct err *err)
{
	if (o->kind == MESSENGER_POST)
		return send_post(buf_str(&m->text[0]), "application/json", buf_str(&m->text[1]),
				 o->end, err);
	m->mail.host = buf_str(&m->text[0]);
	m->mail.from = buf_str(&m->text[1]);
	m->mail.to = buf_str(&m->text[2]);
	m->mail.subject = buf_str(&m->text[3]);
	m->mail.text = buf_str(&m->text[4]);
	return smtp_send(&m->mail, o->end, err);
}

/* Takes the first that is due; else NULL, and in how many ms the next one is, -1: none waits. */
static struct message *take_due(struct outlet *o, int *ret_wait_ms)
{
	struct message *found = NULL;
	struct list *it, *tmp;
	ms_t now = clock_mono_ms(), first = INT64_MAX;

	(void)pthread_mutex_lock(&o->lock);
	LIST_EACH (it, tmp, &o->queue) {
		struct message *m = CONTAINER(it, struct message, node);

		if (m->due <= now) {
			list_del(&m->node);
			found = m;
			break;
		}
		if (m->due < first)
			first = m->due;
	}
	(void)pthread_mutex_unlock(&o->lock);
	*ret_wait_ms = first == INT64_MAX ? -1 : (int)(first - now) + 1;
	return found;
}

/* Delivered, to be tried again, or lost. */
static void put_away(struct outlet *o, struct message *m, int error, const struct err *err)
{
	bool is_over = error == 0 || error == -EPERM || ++m->tries == TRIES;

	(void)pthread_mutex_lock(&o->lock);
	(void)str_copy(
		o->state.failing, sizeof(o->state.failing),
		str_head(str_of(error < 0 ? err->message : ""), sizeof(o->state.failing) - 1));
	if (is_over) {
		o->state.waiting--;
		o->state.lost += error < 0;
	} else {
		m->due = clock_mono_ms() + ((ms_t)AGAIN_MS << (m->tries - 1));
		list_add_tail(&o->queue, &m->node);
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (is_over)
		message_free(m);
}

static void *run(void *arg)
{
	struct outlet *o = arg;
	struct pollfd p[2] = { { .fd = o->news, .events = POLLIN },
			       { .fd = o->end, .events = POLLIN } };

	for (;;) {
		int wait_ms = 0;
		struct message *m = take_due(o, &wait_ms);
		eventfd_t n;

		if (poll(p, 2, m ? 0 : wait_ms) < 0 && errno != EINTR)
			break;
		if (p[1].revents) {
			if (m)
				message_free(m);
			break;
		}
		if (p[0].revents)
			(void)eventfd_read(o->news, &n);
		if (!m)
			continue;

		struct err err = ERR_INIT;
		int r = deliver(o, m, &err);

		put_away(o, m, r, &err);
	}
	return NULL;
}

/* ---- the main thread ---- */

static int hand_in(struct outlet *o, const struct str *texts, int count, uint16_t port)
{
	struct message *m = calloc(1, sizeof(*m));
	int r = m ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < count; i++) {
		buf_put(&m->text[i], texts[i]);
		r = buf_error(&m->text[i]);
	}
	if (r == 0)
		m->mail.port = port;
	(void)pthread_mutex_lock(&o->lock);
	if (r == 0 && o->state.waiting >= QUEUE) {
		o->state.lost++;
		r = -ENOBUFS;
	}
	if (r == 0) {
		list_init(&m->node);
		list_add_tail(&o->queue, &m->node);
		o->state.waiting++;
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (r == 0)
		(void)eventfd_write(o->news, 1);
	else if (m)
		message_free(m);
	return r;
}

int messenger_mail(struct messenger *m, const struct smtp_mail *mail)
{
	const struct str texts[] = { mail->host, mail->from, mail->to, mail->subject, mail->text };

	return hand_in(&m->outlet[MESSENGER_MAIL], texts, 5, mail->port);
}

int messenger_post(struct messenger *m, struct str url, struct str json)
{
	const struct str texts[] = { url, json };

	return hand_in(&m->outlet[MESSENGER_POST], texts, 2, 0);
}

void messenger_state(struct messenger *m, enum messenger_kind k, struct messenger_state *ret)
{
	struct outlet *o = &m->outlet[k];

	(void)pthread_mutex_lock(&o->lock);
	*ret = o->state;
	(void)pthread_mutex_unlock(&o->lock);
}

static int open_outlet(struct outlet *o, enum messenger_kind kind)
{
	int r;

	o->kind = kind;
	o->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	o->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (o->news < 0 || o->end < 0)
		return -errno;
	r = pthread_create(&o->thread, NULL, run, o);
	o->is_running = r == 0;
	return -r;
}

static void close_outlet(struct outlet *o)
{
	struct list *first;

	if (o->is_running) {
		(void)eventfd_write(o->end, 1);
		(void)pthread_join(o->thread, NULL);
	}
	while ((first = list_shift(&o->queue)))
		message_free(CONTAINER(first, struct message, node));
	if (o->news >= 0)
		(void)close(o->news);
	if (o->end >= 0)
		(void)close(o->end);
	(void)pthread_mutex_destroy(&o->lock);
}

int messenger_create(struct messenger **ret)
{
	CLEANUP(messenger_free) struct messenger *m = calloc(1, sizeof(*m));
	int r = m ? 0 : -ENOMEM;

	for (int i = 0; m && i < MESSENGER_COUNT; i++) {
		m->outlet[i].news = m->outlet[i].end = -1;
		list_init(&m->outlet[i].queue);
		(void)pthread_mutex_init(&m->outlet[i].lock, NULL);
	}
	for (int i = 0; r == 0 && i < MESSENGER_COUNT; i++)
		r = open_outlet(&m->outlet[i], (enum messenger_kind)i);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

struct messenger *messenger_free(struct messenger *m)
{
	if (!m)
		return NULL;
	for (int i = 0; i < MESSENGER_COUNT; i++)
		close_outlet(&m->outlet[i]);
	free(m);
	return NULL;
}
