/*
 * setup: one run of the set-up: where it writes, what was answered, whom it talks to. The screens
 * and the unattended run fill it and then call the same code.
 */
#pragma once

#include <string.h>

#include "base/err.h"
#include "machine.h"
#include "model/answers.h"
#include "place.h"
#include "tell.h"

#define SETUP_DIR     "/var/lib/tandem-setup"
#define SETUP_DONE    SETUP_DIR "/done"
#define SETUP_ANSWERS SETUP_DIR "/answers.conf"
#define SETUP_LICENCE SETUP_DIR "/licence.json"

struct setup {
	struct place place;
	const char *control; /* switchd's socket */
	const char *ctl;     /* path of switchctl */
	struct answers *answers;
	struct machine machine;
	struct tell tell;
};

/* -errno with *err saying what could not be done. */
#define SETUP_FAIL(err, r, ...) \
	((void)err_set((err), ERR_STORE, "", str_of(strerror(-(r))), NULL, __VA_ARGS__), (r))
