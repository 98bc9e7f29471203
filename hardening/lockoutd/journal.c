#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-journal.h>

#include "sshd.h"

enum { TURN_MAX = 256 /* lines read before others get their turn */ };

struct journal {
	sd_journal *j;
	sd_event_source *source;
	journal_fn *on_failure;
	void *ctx;
};

static void read_line(struct journal *j)
{
	const void *data;
	size_t n;
	struct event e;

	if (sd_journal_get_data(j->j, "MESSAGE", &data, &n) >= 0 &&
	    sshd_read(str_skip(str_n(data, n), STR("MESSAGE=").n), &e) == 0)
		j->on_failure(j->ctx, &e);
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct journal *j = ctx;
	int n = 0;

	(void)s;
	(void)fd;
	(void)events;
	(void)sd_journal_process(j->j);
	while (n++ < TURN_MAX && sd_journal_next(j->j) > 0)
		read_line(j);
	return 0;
}

/* _UID and _COMM are the kernel's words. Different fields must all match, of the same field one. */
static int begin(struct journal *j, sd_event *ev)
{
	int r = sd_journal_open(&j->j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

	if (r >= 0)
		r = sd_journal_add_match(j->j, "_UID=0", 0);
	if (r >= 0)
		r = sd_journal_add_match(j->j, "_COMM=sshd", 0);
	if (r >= 0)
		r = sd_journal_add_match(j->j, "_COMM=sshd-session", 0);
	if (r >= 0)
		r = sd_journal_seek_tail(j->j);
	if (r >= 0)
		r = sd_journal_previous(j->j); /* else the first line after the tail is missed */
	if (r >= 0)
		r = sd_journal_get_fd(j->j);
	if (r >= 0)
		r = sd_event_add_io(ev, &j->source, r, (uint32_t)sd_journal_get_events(j->j),
				    on_ready, j);
	return r < 0 ? r : 0;
}

int journal_open(struct journal **ret, sd_event *ev, journal_fn *on_failure, void *ctx)
{
	CLEANUP(journal_close) struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->on_failure = on_failure;
	j->ctx = ctx;
	r = begin(j, ev);
	if (r < 0)
		return r;
	*ret = TAKE(j);
	return 0;
}

struct journal *journal_close(struct journal *j)
{
	if (!j)
		return NULL;
	sd_event_source_disable_unref(j->source);
	if (j->j)
		sd_journal_close(j->j);
	free(j);
	return NULL;
}
