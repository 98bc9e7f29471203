#include "model/report.h"

#include "reports.inc"

enum report_id report_find(struct str name)
{
	for (int i = 0; i < REPORT_COUNT; i++) {
		if (str_eq(name, str_of(report_infos[i].name)))
			return (enum report_id)i;
	}
	return REPORT_COUNT;
}

enum report_id report_of_op(enum op op)
{
#define OF_OP(operation, report) \
	if (op == (operation))   \
		return report;
	REPORT_OPS(OF_OP)
#undef OF_OP
	return REPORT_COUNT;
}
