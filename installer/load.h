/* load: do the media ports suffice for the calls that are expected? (4 a call, and those at rest.) */
#pragma once

#include "model/answers.h"

/* A relayed call takes four ports, and a port rests for ten seconds after a call. */
uint32_t load_ports_needed(int64_t lines, int64_t cps);
/* 0: they suffice; else how many are missing. what: a sentence either way. */
uint32_t load_missing(const struct answers *a, struct buf *what);
