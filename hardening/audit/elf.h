/*
 * elf: how a 64-bit program of this machine was built, read from the file itself.
 *
 * The file comes from outside: every offset in it is checked against its length.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* X(NAME, word of a control, what it means that it is not there) */
#define ELF_TRAITS(X)                                                      \
	X(PIE, "pie", "is not position independent")                       \
	X(RELRO, "relro", "has no read-only relocations")                  \
	X(NOW, "now", "does not bind its symbols at the start")            \
	X(NX, "nx", "has a stack that can be run")                         \
	X(CANARY, "canary", "has no stack protector")                      \
	X(FORTIFY, "fortify", "has no checked library functions")          \
	X(NO_PATH, "no-path", "looks for libraries in folders of its own") \
	X(CET, "cet", "has no landing marks for indirect calls (CET)")

enum elf_trait {
#define ELF_ENUM(name, word, text) ELF_##name,
	ELF_TRAITS(ELF_ENUM)
#undef ELF_ENUM
		ELF_COUNT
};

struct elf {
	bool has[ELF_COUNT];
};

/* 0; -ENOEXEC if it is none, or not one for this kind of machine; -EBADMSG if it contradicts itself. */
int elf_parse(struct elf *ret, struct str file);
