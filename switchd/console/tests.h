/* tests: what can be tried of a routing gateway from its page: OPTIONS, and a call. Actions of a list. */
#pragma once

int tests_gateway(void *list);
int tests_call(void *list);
