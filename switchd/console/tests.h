/* tests: what can be tried from a page: of a routing gateway OPTIONS and a call; a REGISTER of a phone; past calls. Actions of a list. */
#pragma once

int tests_gateway(void *list);
int tests_call(void *list);
/* OPTIONS to any address. */
int tests_network(void *list);
/* Of a list of phones. */
int tests_register(void *list);
int tests_replay(void *list);
