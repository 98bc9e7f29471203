/*
 * messenger: hands on what is worth telling soon and has no place in the store: mails about alarms, events by HTTP. Two threads, so that a
 * dead mail relay keeps no event, and the other way round; nobody else waits for a receiver.
 *
 * What cannot be delivered is tried again, six times within about a minute; then it is lost, and counted. No more than 1,000 wait.
 *
 * Functions are for the main thread.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "courier/smtp.h"

enum messenger_kind { MESSENGER_MAIL, MESSENGER_POST, MESSENGER_COUNT };

struct messenger;

/* 0 or negative errno. */
int messenger_create(struct messenger **ret);
/* What waits is lost. */
struct messenger *messenger_free(struct messenger *m);
DEFINE_CLEANUP(struct messenger *, messenger_free);

/* All is copied. 0, -ENOMEM, -ENOBUFS: too many wait (it is counted as lost). */
int messenger_mail(struct messenger *m, const struct smtp_mail *mail);
int messenger_post(struct messenger *m, struct str url, struct str json);

struct messenger_state {
	int64_t waiting;
	uint64_t lost;
	char failing[160]; /* why the last one could not be delivered; "" = it could */
};

void messenger_state(struct messenger *m, enum messenger_kind k, struct messenger_state *ret);
