#include "model/op.h"

#include "ops.inc"

enum op op_find(struct str name)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (str_eq(name, str_of(op_infos[i].name)))
			return (enum op)i;
	}
	return OP_COUNT;
}

enum op op_find_verb(struct str entity, struct str verb)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (str_eq(entity, str_of(op_infos[i].entity)) &&
		    str_eq(verb, str_of(op_infos[i].verb)))
			return (enum op)i;
	}
	return OP_COUNT;
}

const struct op_arg *op_arg_find(const struct op_info *op, struct str name)
{
	for (int i = 0; i < op->arg_count; i++) {
		if (str_eq(name, str_of(op->args[i].name)))
			return &op->args[i];
	}
	return NULL;
}
