/* inner: what the files of phone/ share. Private to this folder. */
#pragma once

#include "phone/registrar.h"
#include "vendor/sender.h"

struct post {
	struct inbox in;
	struct registrar *r;
};

struct registrar {
	struct registrar_config c;
	struct sender sender;
	struct bindings bindings;
	struct post *posts; /* one a worker, our own unused */
	struct list owing;
	int64_t probe_ms;
};

/* ---- registrar.c ---- */
/* The registration changed: everybody is told, and its next end is waited for. */
void registrar_changed(struct registrar *r, struct registration *reg);
/* Do that user's registrations belong to this worker? */
bool registrar_has(const struct registrar *r, struct str user);
/* "udp:192.0.2.1:5060": the listener of a flow, to be freed; NULL if memory is short. */
char *registrar_listener(const struct registrar *r, const struct flow *f);
/* ---- probe.c ---- */
void probe_start(struct registrar *r, struct binding *b);
void probe_stop(struct binding *b);
