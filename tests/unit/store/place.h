/*
 * place: a folder of its own for a test, made before it and removed after it, and databases in it.
 *
 *	cmocka_unit_test_setup_teardown(test, place_make, place_remove)
 */
#pragma once

#include "store/db.h"

struct place {
	char dir[64];
	char path[128]; /* of the last file asked for */
};

int place_make(void **state);
int place_remove(void **state);
/* DIR/NAME, valid until the next call. */
const char *place_path(struct place *p, const char *name);
/* Opens DIR/NAME; fails the test if it cannot. */
struct db *place_open(struct place *p, const char *name, enum db_mode mode);
/* The number that a query of one row answers. */
int64_t place_ask(struct db *d, const char *sql);
/* Runs SQL that must work. */
void place_run(struct db *d, const char *sql);
