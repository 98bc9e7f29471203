/*
 * golive: is this switch ready to carry calls and to charge for them?
 *
 * A caller and vendors of its own, on addresses of their own (127.77.0.x; 198.18.77.x, put on lo for
 * the length of the run, for a switch that is not on loopback), built on the switch's own SIP library,
 * place calls through the running switch and compare what arrived at each end, what the record says
 * and what the money did with what they work out themselves. What the calls need (an account, a
 * rate group, gateways) is made through the control socket with names that begin with "golive-" and
 * taken away again, also what an interrupted run left behind. Closed records of the calls stay.
 *
 * Then the operator's own customers, vendors and rates: every prefix sold must have a way out, and
 * where a test number is given, real calls to it go over them, charged to the customer's account.
 *
 * One run belongs to one thread, which golive_run keeps until all is done; the callbacks are called
 * in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"

enum golive_result {
	GOLIVE_WAITING, /* has not been run yet */
	GOLIVE_RUNNING,
	GOLIVE_PASSED,
	GOLIVE_FAILED,
	GOLIVE_NOT_CONFIGURED, /* nothing to test: no test number, no registration ... */
	GOLIVE_NOT_RUN,        /* could not be looked at from here, or the run was stopped */
	GOLIVE_RESULT_COUNT
};

/* A row of the list of tests: what stands in the record whatever the result. */
struct golive_test {
	const char *name;   /* "two-way-audio": stable, for scripts */
	const char *title;  /* one line for a screen, at most 56 characters */
	const char *why;    /* what goes wrong in production if this does not hold */
	const char *remedy; /* where to look first when it fails */
};

struct golive_outcome {
	enum golive_result result;
	char reason[256];   /* of anything but passed: what was seen instead, a plain sentence */
	char remedy[384];   /* what to do about it; "" if passed */
	char evidence[768]; /* what was measured, also of a test that passed */
	ms_t began;         /* wall clock */
	int64_t took_ms;
	int calls; /* placed by this test */
};

enum { GOLIVE_PORTS_MAX = 16 };

/* Loans, needed until golive_free. Absent: NULL, 0, or an address that is not set. */
struct golive_config {
	const char *control;     /* the switch's control socket */
	struct addr sip;         /* where the switch takes SIP over UDP; any = 127.0.0.1 */
	struct addr base;        /* the /24 of the own ends; not set: 127.77.0.0, 198.18.77.0 */
	uint32_t lines;          /* expected simultaneous calls; 0 = the licence's, else 200 */
	const char *test_number; /* over the operator's own route; absent: those tests do not run */
	const char *test_caller; /* caller's number for it; absent: "1000" */
	const char *only;        /* names of tests, joined by commas; absent: all */
	const char *customer;    /* mapping gateway it is charged like; absent: the first */
	/* Firewall: where to look from, at what, and what may answer there. */
	const char *scan_netns;   /* path of a network namespace; absent: one of our own, if root */
	struct addr scan_address; /* of the machine, seen from there; not needed without netns */
	uint16_t open_tcp
		[GOLIVE_PORTS_MAX]; /* may answer: SIP, TLS, API, SSH; 0-terminated or full */
	bool is_scan_off;           /* no scan: the test says so */
	/* Called as a test begins (RUNNING) and when it has ended; may be NULL. */
	void (*on_test)(void *ctx, int index, const struct golive_test *t,
			const struct golive_outcome *o);
	/* Called at least five times a second; false stops the run, tidily. May be NULL. */
	bool (*on_idle)(void *ctx);
	void *ctx;
};

struct golive;

/* The list, in the order of the run. */
int golive_count(void);
const struct golive_test *golive_test(int index);
const char *golive_result_text(enum golive_result r); /* "passed", "FAILED", "not configured" ... */

/* 0; -EINVAL with *err (not reachable, an address that cannot be had ...); -ENOMEM. */
int golive_create(struct golive **ret, const struct golive_config *c, struct err *err);
/* Takes away what was made in the switch, if a run did not get to it. */
struct golive *golive_free(struct golive *g);
DEFINE_CLEANUP(struct golive *, golive_free);

/*
 * Runs them all: the number of tests that failed, or a negative errno with *err when the run could
 * not be done (switch gone, memory). A test that fails stops no other.
 */
int golive_run(struct golive *g, struct err *err);
/* Result of one test, WAITING before it. */
const struct golive_outcome *golive_outcome(const struct golive *g, int index);
/* True if all were run, none failed, and none was left out but those that are not configured. */
bool golive_is_passed(const struct golive *g);

/* Takes away what an interrupted run left in the switch (control, base and sip count): how many things went, or negative. */
int golive_clean(const struct golive_config *c, struct err *err);

/* The deployment record of a run: machine, version, licence, configuration, each test. */
int golive_record_text(const struct golive *g, struct buf *out);
int golive_record_html(const struct golive *g, struct buf *out);
/*
 * Writes both as DIR/golive-YYYYMMDDTHHMMSSZ.txt and .html; the path without the ending goes to
 * *ret_path. 0 or negative with *err.
 */
int golive_save(const struct golive *g, const char *dir, struct buf *ret_path, struct err *err);
