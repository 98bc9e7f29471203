#include <errno.h>

#include "base/log.h"
#include "ledger/inner.h"
#include "store/month.h"

/* So many records at a time: a commit that comes meanwhile waits for no more than that. */
enum { MOVE_BATCH = 512, BATCHES = 8 };

static int move_some(struct ledger *l, const char *dir)
{
	int64_t ids[MOVE_BATCH];
	struct month month;
	struct err err = ERR_INIT;
	int n = month_next(l->db, ids, MOVE_BATCH, &month);

	if (n <= 0)
		return n;
	int r = month_move(l->db, dir, month, ids, n, &err);
	if (r < 0) {
		if (err_is_set(&err))
			log_at(LOG_ERR, NULL, "%s", err.message);
		return r;
	}
	/* They are durable there now; a crash in between repeats the move, which changes nothing. */
	r = month_clear(l->db, ids, n);
	if (r < 0)
		return r;
	atomic_fetch_sub(&l->outbox, (uint64_t)n);
	return n;
}

int move_outbox(struct ledger *l)
{
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	const char *path;
	int r = MOVE_BATCH;

	buf_printf(&dir, "%s/cdr", l->dir);
	path = buf_cstr(&dir);
	if (!path)
		return -ENOMEM;
	/* Somebody is looking at the files: the next second will do. */
	if (pthread_mutex_trylock(&l->moving) != 0)
		return 0;
	for (int i = 0; i < BATCHES && r == MOVE_BATCH; i++)
		r = move_some(l, path);
	(void)pthread_mutex_unlock(&l->moving);
	return r < 0 ? r : 0;
}
