#include "elf.h"

#include <elf.h>
#include <errno.h>

enum { CODE_A_MARK = 4096 }; /* bytes of code that have at least one landing mark */

struct reading {
	struct str file;
	Elf64_Ehdr head;
	uint64_t strtab, strsz; /* an address, and a length */
	uint64_t code, marks;
};

/* Copies, since nothing in a file is aligned for certain. */
static bool take(struct str file, uint64_t at, void *ret, size_t n)
{
	if (at > file.n || n > file.n - at)
		return false;
	memcpy(ret, file.p + at, n);
	return true;
}

static bool segment(const struct reading *r, unsigned i, Elf64_Phdr *ret)
{
	return i < r->head.e_phnum &&
	       take(r->file, r->head.e_phoff + (uint64_t)i * sizeof(*ret), ret, sizeof(*ret));
}

/* Where an address of the running program stands in the file. */
static bool place_of(const struct reading *r, uint64_t address, uint64_t *ret)
{
	Elf64_Phdr p;

	for (unsigned i = 0; segment(r, i, &p); i++) {
		if (p.p_type == PT_LOAD && address >= p.p_vaddr &&
		    address - p.p_vaddr < p.p_filesz) {
			*ret = p.p_offset + (address - p.p_vaddr);
			return *ret <= r->file.n;
		}
	}
	return false;
}

static struct str content(const struct reading *r, const Elf64_Phdr *p)
{
	return str_head(str_skip(r->file, p->p_offset), p->p_filesz);
}

/* --- the dynamic section --- */

static void hear_entry(struct reading *r, struct elf *ret, const Elf64_Dyn *d)
{
	switch (d->d_tag) {
	case DT_BIND_NOW:
		ret->has[ELF_NOW] = true;
		break;
	case DT_FLAGS:
		ret->has[ELF_NOW] |= (d->d_un.d_val & DF_BIND_NOW) != 0;
		break;
	case DT_FLAGS_1:
		ret->has[ELF_NOW] |= (d->d_un.d_val & DF_1_NOW) != 0;
		break;
	case DT_RPATH:
	case DT_RUNPATH:
		ret->has[ELF_NO_PATH] = false;
		break;
	case DT_STRTAB:
		r->strtab = d->d_un.d_ptr;
		break;
	case DT_STRSZ:
		r->strsz = d->d_un.d_val;
		break;
	default:
		break;
	}
}

/* The names of what it takes from libraries tell how it was compiled. */
static bool has_name(struct str names, struct str part)
{
	return str_find(names, part) >= 0;
}

static int read_dynamic(struct reading *r, struct elf *ret, const Elf64_Phdr *p)
{
	struct str bytes = content(r, p);
	Elf64_Dyn d;
	uint64_t at;

	for (at = 0; take(bytes, at, &d, sizeof(d)) && d.d_tag != DT_NULL; at += sizeof(d))
		hear_entry(r, ret, &d);
	if (!place_of(r, r->strtab, &at))
		return -EBADMSG;

	struct str names = str_head(str_skip(r->file, at), r->strsz);

	ret->has[ELF_CANARY] = has_name(names, STR("__stack_chk_fail"));
	ret->has[ELF_FORTIFY] = has_name(names, STR("_chk\0"));
	return 0;
}

/* --- code and notes --- */

/* endbr64, where an indirect call may land. */
static void count_marks(struct reading *r, struct str code)
{
	static const struct str mark = STR_INIT("\xf3\x0f\x1e\xfa");
	ptrdiff_t at;

	r->code += code.n;
	while ((at = str_find(code, mark)) >= 0) {
		r->marks++;
		code = str_skip(code, (size_t)at + mark.n);
	}
}

int elf_parse(struct elf *ret, struct str file)
{
	struct reading r = { .file = file };
	Elf64_Phdr p;
	int e = 0;

	*ret = (struct elf){ 0 };
	if (!take(file, 0, &r.head, sizeof(r.head)) ||
	    memcmp(r.head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    r.head.e_ident[EI_CLASS] != ELFCLASS64 || r.head.e_machine != EM_X86_64 ||
	    r.head.e_phentsize != sizeof(p))
		return -ENOEXEC;
	ret->has[ELF_NO_PATH] = true;
	ret->has[ELF_PIE] = r.head.e_type == ET_DYN;
	for (unsigned i = 0; e == 0 && i < r.head.e_phnum; i++) {
		if (!segment(&r, i, &p))
			return -EBADMSG;
		if (p.p_type == PT_DYNAMIC)
			e = read_dynamic(&r, ret, &p);
		else if (p.p_type == PT_GNU_RELRO)
			ret->has[ELF_RELRO] = true;
		else if (p.p_type == PT_GNU_STACK)
			ret->has[ELF_NX] = !(p.p_flags & PF_X);
		else if (p.p_type == PT_LOAD && (p.p_flags & PF_X))
			count_marks(&r, content(&r, &p));
	}
	ret->has[ELF_CET] = r.marks > 0 && r.marks >= r.code / CODE_A_MARK;
	return e;
}
