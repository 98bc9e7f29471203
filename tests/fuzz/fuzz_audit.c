/* A program's file as switch-audit reads it: no octet of it is trusted. */
#include <stddef.h>
#include <stdint.h>

#include "audit/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf e;

	(void)elf_parse(&e, str_n(data, size));
	return 0;
}
