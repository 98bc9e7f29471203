#include "control.h"

#include "controls.inc"

const size_t controls_count = sizeof(controls) / sizeof(controls[0]);

static const char *const names[] = {
#define KIND_NAME(name) #name,
	CHECK_KINDS(KIND_NAME)
#undef KIND_NAME
};

const char *check_kind_name(enum check_kind kind)
{
	return names[kind];
}
