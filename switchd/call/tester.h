/*
 * tester: tests that an operator asks for, at one worker: OPTIONS to a gateway's addresses (tester.c), and calls of the switch's own that
 * belong to no customer (testcall.c). They answer by mail when they are over.
 */
#pragma once

#include "call/inner.h"

struct tester;
struct testcall;

enum { TESTS_MAX = 8 }; /* at once */

int tester_create(struct tester **ret, struct worker *w);
/* Ends all tests without a word. */
struct tester *tester_free(struct tester *t);
/* NULL: it was begun and will answer. Else the answer, malloced. */
char *tester_begin(struct tester *t, const struct ask *a);
/* A request inside the dialog of a test call; false: it is none's. */
bool tester_request(struct tester *t, struct server_txn *txn, const struct msg *m);

/* ---- testcall.c ---- */
/* text: malloced, taken. The call may be freed then. */
typedef void testcall_fn(void *ctx, struct testcall *c, char *text);

/* NULL and *ret_error (a literal) says why it could not begin. */
struct testcall *testcall_create(struct worker *w, const struct ask_test *a, testcall_fn *on_over,
				 void *ctx, const char **ret_error);
struct testcall *testcall_free(struct testcall *c);
bool testcall_request(struct testcall *c, struct server_txn *txn, const struct msg *m);
