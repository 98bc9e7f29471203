/* inner: what the files of courier/ share. Private to this folder. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "courier/courier.h"
#include "store/db.h"

/* Its place: what was delivered up to this number of the posting; of the files also in which, and how far. */
struct place {
	int64_t seq;
	char file[64]; /* the one being written, without its folder and ".part"; "" = none */
	int64_t length;
};

/* Numbers and texts of an order; empty = off. */
struct wish {
	bool is_on, is_answered_only;
	int64_t interval_s, keep_files;
	struct buf url;
};

struct courier {
	enum courier_kind kind;
	struct ledger *ledger;
	const char *data_dir;
	pthread_t thread;
	bool is_running;
	int news, orders, end; /* eventfds: records came; an order; the end */
	struct db *db;
	struct place place;
	bool has_place;
	struct wish wish;     /* that it goes by */
	int file;             /* descriptor of the part being written, -1 = none */
	ms_t file_ends;       /* wall */
	pthread_mutex_t lock; /* of what follows */
	struct wish wanted;
	bool is_changed;
	struct courier_state state;
};

struct batch {
	const struct courier *courier;
	struct buf content; /* lines, or the members of a JSON array */
	int64_t last_seq;
	int numbers; /* of the posting that it covers; some records may be hidden, or gone */
};

/* ---- place.c ---- */
/* -ENOENT: it has none yet. */
int place_read(const struct courier *c, struct place *ret);
int place_write(const struct courier *c, const struct place *p);
void place_forget(const struct courier *c);

/* ---- text.c ---- */
/* Goes on where the place says: what was written beyond it is cut off. */
int text_resume(struct courier *c, ms_t now);
/* 0: the lines are on the disk and c->place says so. */
int text_deliver(struct courier *c, const struct batch *b, ms_t now);
/* The part becomes a file, if its time is over or is_forced; files beyond the number kept go. */
int text_publish(struct courier *c, ms_t now, bool is_forced);

/* ---- send.c ---- */
/* One POST: 0 if the receiver said 2xx, else negative errno with *err. */
int send_post(struct str url, const char *type, struct str body, int end, struct err *err);
/* 0: the receiver said 2xx. Else negative errno with *err. Ends when c->end is readable. */
int send_batch(const struct courier *c, const struct batch *b, struct err *err);
