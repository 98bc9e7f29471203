/*
 * knob: one kernel setting as it is on this machine: a file under /proc/sys, or a
 * value of a network card (ethtool.h) or of a program's threads (thread.h).
 *
 * Files are opened below a folder that the caller opened, so that a test has its own.
 */
#pragma once

#include "base/str.h"

enum { KNOB_PATH = 256, KNOB_VALUE = 4096 };

typedef int knob_fn(void *ctx, const char *path);

/*
 * The value without blanks at its ends, blanks inside as one space. The caller frees it. -ENOENT if
 * this kernel has no such setting; -EMSGSIZE if it is longer than KNOB_VALUE; or negative errno.
 */
int knob_read(int folder, const char *path, char **ret);
/* 0 or the kernel's negative errno. */
int knob_write(int folder, const char *path, const char *value);
/*
 * Calls fn with the path of every setting that a key stands for: one, or one for each folder where
 * the key says `*`, in no order. Where there is no folder the `*` stays, so that the setting is found
 * to be missing. Ends at fn's first negative result and returns it; else 0 or -ENAMETOOLONG.
 */
int knob_each(int folder, struct str key, knob_fn *fn, void *ctx);
