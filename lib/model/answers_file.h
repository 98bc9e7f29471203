/*
 * answers_file: tandem.conf, read and written: `key = value` a line, `#` begins a comment line.
 *
 * The file comes from outside: what is wrong is reported line by line, all of it up to a limit, so
 * that an installer corrects it in one go.
 */
#pragma once

#include "model/answers.h"

/* The machine's own; and how large any such file may be. */
#define ANSWERS_PATH "/etc/tandem/tandem.conf"
enum { ANSWERS_FILE_MAX = 256 * 1024, ANSWERS_FAULTS_MAX = 16 };

struct answers_fault {
	uint32_t line; /* 0 = of the whole */
	struct err err;
};

struct answers_report {
	int count; /* of all faults; only the first ANSWERS_FAULTS_MAX are kept */
	struct answers_fault fault[ANSWERS_FAULTS_MAX];
};

/*
 * Sets what the text says. 0; -EINVAL with the report (values without fault are set); -ENOMEM.
 * answers_check is not part of it.
 */
int answers_parse(struct answers *a, struct str text, struct answers_report *ret);
/*
 * Do the values go together? Ports that collide, a router outside the network. 0 or -EINVAL, with
 * the lines that the values were read from.
 */
int answers_check(const struct answers *a, struct answers_report *ret);
/*
 * The same, and whether this version can do what they ask for: for a machine that is set up. (A tandem.conf that stands is not
 * refused for it: without its firewall a machine has no network.)
 */
int answers_check_able(const struct answers *a, struct answers_report *ret);
/* Parses and checks a file. -EINVAL with the report, or negative errno if it cannot be read. */
int answers_load(struct answers *a, const char *path, struct answers_report *ret);
/* "line 3: sip_port: ... (given: 99999; accepted: 1024 to 65535)", a line each. */
void answers_report_print(const struct answers_report *r, struct buf *out);
/*
 * What was answered, in the order of the table. is_kept: without secrets and what the set-up acts
 * on once, as /etc/tandem/tandem.conf is written.
 */
void answers_print(const struct answers *a, bool is_kept, struct buf *out);
