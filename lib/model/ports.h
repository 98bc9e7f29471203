/* ports: how many media ports a load needs. */
#pragma once

#include <stdint.h>

/* A relayed call takes four, and they rest for ten seconds after it (behaviour.md, Media). */
uint64_t ports_needed(uint64_t lines, uint64_t cps);
