/*
 * crew: the threads of the switch and the rings between them: media, ledger, workers. Built, started and stopped in that order
 * and back.
 */
#pragma once

#include "base/cleanup.h"
#include "call/hub.h"
#include "call/worker.h"
#include "options.h"

struct crew {
	struct hub hub;
	struct ring **diary;  /* the diagonal of notes */
	struct ring **mail;   /* [from * workers + to], NULL on the diagonal */
	struct ring **column; /* [to * workers + from]: the same rings as their readers see them */
	struct ring **notes,
		**notes_column; /* the same for registrations; on the diagonal to the main thread */
	struct ring **asks, **answers;
	struct worker **worker;
	struct listen_spec *listen;
	int listen_count;
};

/* Media threads and the ledger: the world needs them before the workers do. */
int crew_open(struct crew *c, const struct options *o, struct err *err);
/* Workers, with their sockets; then everything starts. */
int crew_start(struct crew *c, const struct options *o, struct err *err);
/* The certificates again, for connections from now on; says in the log what came of it. */
void crew_load_tls(struct crew *c);
/* One mail to every worker. */
void crew_ask(struct crew *c, enum ask_kind kind);
/* Has every worker made a turn within the last ms? */
bool crew_is_alive(const struct crew *c, int64_t ms);
/* Stops the workers and frees them, while what they point at, such as gates, is still there. */
void crew_dismiss(struct crew *c);
void crew_stop(struct crew *c);
/* After the world is gone. */
void crew_free(struct crew *c);
