/*
 * loop: what one thread does: epoll, a timer wheel and its rings.
 *
 * A turn: wait, mail, ready descriptors, timers due, then the `on_turn` hook (flush what was
 * gathered, be quiescent). Mail first: a packet that follows from an order finds it carried out. Everything a turn found is done before the thread sleeps again. Events
 * are fields of their owners; an event may be removed in any callback, its own included.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/wheel.h"

struct event;
typedef void event_fn(struct event *e, uint32_t epoll_events);

struct event {
	int fd;
	event_fn *on_ready;
	bool is_added;
};

/* One incoming ring; on_mail sees each record and must not keep the pointer. */
struct inbox;
typedef void mail_fn(struct inbox *in, const void *record, size_t n);

struct inbox {
	struct event event;
	struct ring *ring; /* loan */
	mail_fn *on_mail;
	struct list node;
};

struct loop;
typedef void loop_fn(struct loop *l, void *ctx);

struct loop {
	int epoll_fd;
	int64_t now_ms; /* monotonic, read once a turn */
	struct wheel wheel;
	struct list inboxes;
	loop_fn *on_turn;  /* at the end of a turn's work; may be NULL */
	loop_fn *on_sleep; /* just before the wait, and on_wake just after; may be NULL */
	loop_fn *on_wake;
	void *ctx;
	atomic_bool stop;
	struct epoll_event *ready; /* batch being worked on; private */
	int ready_count;
	struct inbox *reading; /* whose mail is being read; private */
	int stop_fd;
	struct event stop_event;
};

/* 0 or negative errno. */
int loop_init(struct loop *l);
void loop_done(struct loop *l);
/* 0 or negative errno; epoll_events as EPOLLIN etc. (level triggered). */
int loop_add(struct loop *l, struct event *e, int fd, uint32_t epoll_events, event_fn *on_ready);
int loop_change(struct loop *l, struct event *e, uint32_t epoll_events);
/* Does not close the descriptor; harmless if not added. */
void loop_del(struct loop *l, struct event *e);
int loop_add_inbox(struct loop *l, struct inbox *in, struct ring *r, mail_fn *on_mail);
void loop_del_inbox(struct loop *l, struct inbox *in);
/* One turn; waits at most max_wait_ms (-1 = as the timers say). A signal ends the wait. */
int loop_turn(struct loop *l, int64_t max_wait_ms);
/* Turns until loop_stop, which any thread may call. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);
