#include "ops/clerk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "ops/inner.h"

/*
 * Waiting tasks are in one queue that all threads take from; a task that is done goes back by a second one and an eventfd. A task
 * belongs to the thread that works on it; the lock guards the queues alone. Few threads are enough: each is slow only while it
 * reads the disk, and a long walk has others beside it.
 */

enum { THREADS = 3 };

struct task {
	struct list node; /* in waiting, working or done */
	struct request *request;
	clerk_fn *work;
	clerk_next_fn *next; /* or NULL */
	void *ctx;
	void (*free_ctx)(void *ctx);
	atomic_bool stop;
	json_t *result;
	struct err err;
	int error;
};

struct clerk {
	pthread_mutex_t lock;
	pthread_cond_t come;
	struct list waiting, working, done;
	bool is_closing;
	pthread_t thread[THREADS];
	int threads;
	int fd;
	sd_event_source *source;
};

static void task_free(struct task *t)
{
	if (t->free_ctx)
		t->free_ctx(t->ctx);
	free(t);
}

static struct task *next_task(struct clerk *c)
{
	struct list *first = NULL;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->is_closing && list_is_empty(&c->waiting))
		(void)pthread_cond_wait(&c->come, &c->lock);
	if (!c->is_closing) {
		first = list_shift(&c->waiting);
		if (first)
			list_add_tail(&c->working, first);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return first ? CONTAINER(first, struct task, node) : NULL;
}

static void *run(void *clerk)
{
	struct clerk *c = clerk;
	struct task *t;

	while ((t = next_task(c))) {
		t->error = t->work(t->ctx, &t->stop, &t->result, &t->err);
		(void)pthread_mutex_lock(&c->lock);
		list_del(&t->node);
		list_add_tail(&c->done, &t->node);
		(void)pthread_mutex_unlock(&c->lock);
		(void)eventfd_write(c->fd, 1);
	}
	return NULL;
}

static void finish(struct task *t)
{
	if (t->request)
		ops_answer(t->request, t->error, t->result, &t->err);
	else
		json_decref(t->result);
	task_free(t);
}

static void wait_for_thread(struct clerk *c, struct task *t)
{
	(void)pthread_mutex_lock(&c->lock);
	list_add_tail(&c->waiting, &t->node);
	(void)pthread_cond_signal(&c->come);
	(void)pthread_mutex_unlock(&c->lock);
}

static void go_on(struct clerk *c, struct task *t)
{
	clerk_fn *work = t->next ? t->next(t->ctx, &t->error, &t->err) : NULL;

	if (!work) {
		finish(t);
		return;
	}
	t->work = work;
	wait_for_thread(c, t);
}

static int on_done(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct clerk *c = ctx;
	struct list done;
	struct list *first;
	eventfd_t n;

	(void)s;
	(void)events;
	(void)eventfd_read(fd, &n);
	list_init(&done);
	(void)pthread_mutex_lock(&c->lock);
	list_move_all(&done, &c->done);
	(void)pthread_mutex_unlock(&c->lock);
	while ((first = list_shift(&done)))
		go_on(c, CONTAINER(first, struct task, node));
	return 0;
}

static int start(struct clerk *c, sd_event *event)
{
	int r;

	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->fd < 0)
		return -errno;
	r = sd_event_add_io(event, &c->source, c->fd, EPOLLIN, on_done, c);
	for (int i = 0; r >= 0 && i < THREADS; i++) {
		r = -pthread_create(&c->thread[i], NULL, run, c);
		if (r == 0)
			c->threads++;
	}
	return r < 0 ? r : 0;
}

int clerk_create(struct clerk **ret, sd_event *event)
{
	struct clerk *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->come, NULL);
	list_init(&c->waiting);
	list_init(&c->working);
	list_init(&c->done);
	c->fd = -1;
	int r = start(c, event);
	if (r < 0) {
		clerk_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* Those under way end with -ECANCELED; nobody reads the answers. */
static void stop_all(struct clerk *c)
{
	struct list *it, *tmp;

	(void)pthread_mutex_lock(&c->lock);
	c->is_closing = true;
	LIST_EACH (it, tmp, &c->working)
		atomic_store(&CONTAINER(it, struct task, node)->stop, true);
	(void)pthread_cond_broadcast(&c->come);
	(void)pthread_mutex_unlock(&c->lock);
	for (int i = 0; i < c->threads; i++)
		(void)pthread_join(c->thread[i], NULL);
}

struct clerk *clerk_free(struct clerk *c)
{
	struct list *first;

	if (!c)
		return NULL;
	stop_all(c);
	list_move_all(&c->done, &c->waiting);
	while ((first = list_shift(&c->done))) {
		struct task *t = CONTAINER(first, struct task, node);

		t->error = t->error ? t->error : t->result ? 0 : -ECANCELED;
		finish(t);
	}
	sd_event_source_disable_unref(c->source);
	if (c->fd >= 0)
		(void)close(c->fd);
	(void)pthread_cond_destroy(&c->come);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
	return NULL;
}

int clerk_take(struct clerk *c, struct request *r, clerk_fn *work, void *ctx,
	       void (*free_ctx)(void *ctx))
{
	return clerk_take_steps(c, r, work, NULL, ctx, free_ctx);
}

int clerk_take_steps(struct clerk *c, struct request *r, clerk_fn *work, clerk_next_fn *next,
		     void *ctx, void (*free_ctx)(void *ctx))
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t) {
		free_ctx(ctx);
		return -ENOMEM;
	}
	*t = (struct task){
		.request = r, .work = work, .next = next, .ctx = ctx, .free_ctx = free_ctx
	};
	wait_for_thread(c, t);
	return OP_LATER;
}

static void give_up(struct list *tasks)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, tasks) {
		struct task *t = CONTAINER(it, struct task, node);

		if (t->request && request_is_gone(t->request))
			atomic_store(&t->stop, true);
	}
}

void clerk_look(struct clerk *c)
{
	(void)pthread_mutex_lock(&c->lock);
	give_up(&c->waiting);
	give_up(&c->working);
	(void)pthread_mutex_unlock(&c->lock);
}
