/* load: do the media ports suffice for the calls that are expected? (4 a call, and those at rest.) */
#pragma once

#include "model/answers.h"

/* 0: they suffice; else how many are missing. what: a sentence either way. */
uint32_t load_missing(const struct answers *a, struct buf *what);
