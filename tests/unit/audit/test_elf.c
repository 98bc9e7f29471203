#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>

#include "audit/elf.h"

/* A program with everything in it, as small as one can be: its file is its memory. */
struct program {
	Elf64_Ehdr head;
	Elf64_Phdr load, code, dynamic, relro, stack;
	Elf64_Dyn entry[5];
	char names[64];
	unsigned char text[16];
};

static void make(struct program *p)
{
	static const char names[] = "\0__stack_chk_fail\0__memcpy_chk\0libc.so.6";

	*p = (struct program){
		.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
			  .e_type = ET_DYN,
			  .e_machine = EM_X86_64,
			  .e_phoff = offsetof(struct program, load),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 5 },
		.load = { .p_type = PT_LOAD,
			  .p_vaddr = 0x1000,
			  .p_filesz = sizeof(*p),
			  .p_flags = PF_R },
		.code = { .p_type = PT_LOAD,
			  .p_flags = PF_R | PF_X,
			  .p_vaddr = 0x4000,
			  .p_offset = offsetof(struct program, text),
			  .p_filesz = sizeof(p->text) },
		.dynamic = { .p_type = PT_DYNAMIC,
			     .p_offset = offsetof(struct program, entry),
			     .p_filesz = sizeof(p->entry) },
		.relro = { .p_type = PT_GNU_RELRO },
		.stack = { .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W },
		.entry = { { DT_STRTAB, { 0x1000 + offsetof(struct program, names) } },
			   { DT_STRSZ, { sizeof(names) } },
			   { DT_FLAGS_1, { DF_1_NOW | DF_1_PIE } },
			   { DT_DEBUG, { 0 } },
			   { DT_NULL, { 0 } } },
		.text = { 0xf3, 0x0f, 0x1e, 0xfa, 0xc3 },
	};
	memcpy(p->names, names, sizeof(names));
}

static int parse(const struct program *p, struct elf *e)
{
	return elf_parse(e, str_n(p, sizeof(*p)));
}

static void a_hardened_program_has_every_trait(void **state)
{
	struct program p;
	struct elf e;

	(void)state;
	make(&p);
	assert_int_equal(parse(&p, &e), 0);
	for (int i = 0; i < ELF_COUNT; i++)
		assert_true(e.has[i]);
}

/* Each thing taken away is missed, and nothing else. */
static void assert_lacks(const struct program *p, enum elf_trait trait)
{
	struct elf e;

	assert_int_equal(parse(p, &e), 0);
	for (int i = 0; i < ELF_COUNT; i++)
		assert_int_equal(e.has[i], i != (int)trait);
}

static void what_is_missing_is_seen(void **state)
{
	struct program p;

	(void)state;
	make(&p);
	p.head.e_type = ET_EXEC;
	assert_lacks(&p, ELF_PIE);
	make(&p);
	p.relro.p_type = PT_NULL;
	assert_lacks(&p, ELF_RELRO);
	make(&p);
	p.entry[2].d_un.d_val = DF_1_PIE;
	assert_lacks(&p, ELF_NOW);
	make(&p);
	p.stack.p_flags |= PF_X;
	assert_lacks(&p, ELF_NX);
	make(&p);
	p.names[1] = 'x';
	assert_lacks(&p, ELF_CANARY);
	make(&p);
	p.names[sizeof("\0__stack_chk_fail\0__memcpy_ch") - 1] = 'x';
	assert_lacks(&p, ELF_FORTIFY);
	make(&p);
	p.entry[3].d_tag = DT_RUNPATH;
	assert_lacks(&p, ELF_NO_PATH);
	make(&p);
	p.text[0] = 0x90;
	assert_lacks(&p, ELF_CET);
}

static void lies_about_places_are_seen(void **state)
{
	struct program p;
	struct elf e;

	(void)state;
	make(&p);
	p.entry[0].d_un.d_ptr = UINT64_MAX;
	assert_int_equal(parse(&p, &e), -EBADMSG);
	make(&p);
	p.head.e_phoff = UINT64_MAX - 8;
	assert_int_equal(parse(&p, &e), -EBADMSG);
	make(&p);
	p.head.e_phnum = UINT16_MAX;
	assert_int_equal(parse(&p, &e), -EBADMSG);
	make(&p);
	p.code.p_offset = UINT64_MAX;
	p.dynamic.p_filesz = UINT64_MAX;
	assert_int_equal(parse(&p, &e), 0);
	make(&p);
	p.head.e_machine = EM_AARCH64;
	assert_int_equal(parse(&p, &e), -ENOEXEC);
	assert_int_equal(elf_parse(&e, STR("#!/bin/sh\n")), -ENOEXEC);
}

/* Cut short anywhere; in memory of exactly that length, so that a byte too far is seen. */
static void a_file_that_ends_early_is_survived(void **state)
{
	struct program p;
	struct elf e;

	(void)state;
	make(&p);
	for (size_t n = 0; n < sizeof(p); n++) {
		char *part = malloc(n ? n : 1);

		if (!part)
			return;
		memcpy(part, &p, n);
		(void)elf_parse(&e, str_n(part, n));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hardened_program_has_every_trait),
		cmocka_unit_test(what_is_missing_is_seen),
		cmocka_unit_test(lies_about_places_are_seen),
		cmocka_unit_test(a_file_that_ends_early_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
