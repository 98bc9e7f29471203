/*
 * check: the kinds of checks, and what their words mean. A pattern may have `*` in its last part.
 *
 *   absent   PATTERN ...                    none of them is there
 *   account  RULE ...                       of passwd, shadow, group: see check_account.c
 *   cmdline  WORD ...                       the kernel was started without them (WORD or WORD=...)
 *   daemon   NAME [user=U] [caps=A,B|none] [nnp] [seccomp] [must]   each process of that name
 *   elf      PROPERTY PATTERN ...           of programs: see elf.h
 *   file     PATTERN ... [mode=M] [owner=U] [group=G] [must]   at most these rights, exactly that owner
 *   ini      NAME SECTION.KEY=VALUE ...     systemd's NAME with its drop-ins
 *   lines    PATH WORD ... least=N          of a file that is there: so many begin with one of the words
 *   module   NAME ...                       is not loaded and cannot be
 *   mount    PATH:OPTION,OPTION ...         is mounted with them
 *   sockets  tcp|udp                        listens at no port but the configured ones
 *   sshd     KEY=VALUE ...                  KEY<=NUMBER: at most; KEY~A,B: nothing but these
 *   sysctl   KEY ...                        as sysctls.tsv says
 *   text     PATTERN has=WORD lacks=WORD    of files that are there
 *   unit     NAME ... KEY=VALUE ...         of systemd's units with their drop-ins; , stands for a blank
 *   verity                                  the root file system is read-only and verified
 *   walk     set-id|open|unowned PATH ...   nothing of that sort is below
 *   wall     CHAIN ...                      the packet filter is loaded and drops by default; +CHAIN: it is there
 *
 * Each returns 0, faults or not; negative errno if it could not look.
 */
#pragma once

#include "job.h"

#define CHECK_DECLARE(name) int check_##name(struct job *j);
CHECK_KINDS(CHECK_DECLARE)
#undef CHECK_DECLARE
