#include <sys/eventfd.h>

#include "ledger/inner.h"

void ledger_listen(struct ledger *l, int courier, int fd)
{
	atomic_store(&l->news[courier], fd);
}

void ledger_delivered(struct ledger *l, int courier, int64_t seq)
{
	atomic_store(&l->delivered[courier], seq);
}

void posting_tell(struct ledger *l)
{
	for (int i = 0; i < LEDGER_COURIERS; i++) {
		int fd = atomic_load(&l->news[i]);

		if (fd >= 0)
			(void)eventfd_write(fd, 1);
	}
}

int posting_trim(struct ledger *l)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int64_t done = INT64_MAX;
	int r;

	for (int i = 0; i < LEDGER_COURIERS; i++) {
		int64_t seq = atomic_load(&l->delivered[i]);

		done = seq < done ? seq : done;
	}
	if (done == l->trimmed && done != INT64_MAX)
		return 0;
	r = stmt_prepare(&s, l->db, "DELETE FROM posting WHERE seq <= ?1");
	if (r < 0)
		return r;
	stmt_bind_int(s, 1, done);
	r = stmt_run(s);
	if (r == 0)
		l->trimmed = done;
	return r;
}
