/*
 * A tandem.conf from anywhere. What is accepted, printed and read again must be the same; what is
 * refused must say where and why.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/answers_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_stable(const struct answers *a)
{
	CLEANUP(answers_free) struct answers *again = answers_create();
	CLEANUP(buf_done) struct buf first = BUF_INIT;
	CLEANUP(buf_done) struct buf second = BUF_INIT;
	struct answers_report report;

	answers_print(a, false, &first);
	assert(again && answers_parse(again, buf_str(&first), &report) == 0);
	answers_print(again, false, &second);
	assert(str_eq(buf_str(&first), buf_str(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	CLEANUP(buf_done) struct buf said = BUF_INIT;
	struct answers_report report;

	assert(a);
	int r = answers_parse(a, str_n(data, size), &report);
	assert(r == 0 || r == -EINVAL);
	assert((r == -EINVAL) == (report.count > 0));
	answers_report_print(&report, &said);
	assert((report.count > 0) == (said.n > 0));
	is_stable(a);
	if (answers_check(a, &report) == -EINVAL)
		assert(report.count > 0 && err_is_set(&report.fault[0].err));
	return 0;
}
