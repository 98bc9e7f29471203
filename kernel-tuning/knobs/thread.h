/*
 * thread: the priority of a program's threads as a knob: "thread/PROGRAM/NAME/nice", NAME being what the threads call themselves.
 *
 * There may be several of them: the value is the highest, that of the one that has to wait longest; what is written is for all.
 */
#pragma once

#include "base/str.h"

#define THREAD "thread/"

/* root: the folder with proc in it. -ENOENT: no such program runs, or it has no such thread. The caller frees *ret. */
int thread_read(int root, struct str path, char **ret);
/* -EPERM below another root than the machine's; else the kernel's negative errno. */
int thread_write(int root, struct str path, struct str value);
