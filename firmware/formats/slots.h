/*
 * slots: what the boot loader and the running system tell each other, in GRUB's environment block.
 *
 * ORDER is the order in which slots are tried; X_OK says that slot X holds a system that may be
 * booted; X_TRY how often the boot loader started it since it last reported health: after the third
 * time it takes the other one. RESET says that the next start makes the data partition anew.
 *
 * The block has 1024 bytes and is only ever overwritten in place: the boot loader knows it by its
 * disk blocks, and a file that was cut short has kept machines from starting.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SLOTS_BLOCK = 1024, SLOTS_COUNT = 2, SLOTS_TRIES = 3 };

struct slots {
	char order[SLOTS_COUNT]; /* 'A' and 'B' */
	bool is_ok[SLOTS_COUNT]; /* of A, of B */
	uint8_t tries[SLOTS_COUNT];
	bool is_reset;
};

/* The state of a new machine: A holds a system, B is empty. */
struct slots slots_fresh(void);
/* 0; -EINVAL for anything but a whole block with the five words, each with a value it may have. RESET may be missing. */
int slots_parse(struct slots *ret, struct str block);
void slots_print(const struct slots *s, char block[SLOTS_BLOCK]);
/* The place of slot 'a' or 'b' (or 'A', 'B') in the arrays; -EINVAL for another letter. */
int slots_index(char letter);
