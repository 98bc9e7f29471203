/*
 * source: where the answers of an unattended set-up come from: a file that was named, the kernel's
 * command line (tandem.answers=http://... or label:NAME/path), a volume labelled TANDEM, or those
 * of a set-up that was interrupted.
 *
 * A volume is mounted read-only without devices, programs and set-user-id for as long as it is read.
 */
#pragma once

#include "base/err.h"
#include "model/answers_file.h"
#include "setup.h"

#define SOURCE_LABEL "TANDEM"

/*
 * Reads the answers into s->answers and keeps a copy, and the licence beside them, in
 * /var/lib/tandem-setup. file: what --answers named, or NULL. 0 with what it was in *name; -ENOENT:
 * there are none; -EINVAL with *report, or with *err if report->count is 0; negative errno with
 * *err.
 */
int source_load(struct setup *s, const char *file, struct buf *name, struct answers_report *report,
		struct err *err);
/* The value of tandem.answers= on a kernel command line; empty if there is none. A slice of it. */
struct str source_of_command_line(struct str line);
