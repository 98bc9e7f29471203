#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "call/knocks.h"
#include "model/json.h"
#include "oom.h"

static struct flow flow_of(uint32_t host)
{
	struct flow f = { .proto = 0 };

	f.peer.in.sin_family = AF_INET;
	f.peer.in.sin_port = htons(5060);
	f.peer.in.sin_addr.s_addr = htonl(host);
	return f;
}

static struct knocks *make(void)
{
	struct knocks *k = NULL;

	assert_int_equal(knocks_create(&k), 0);
	return k;
}

static void knock(struct knocks *k, uint32_t host, const char *callee, ms_t now)
{
	const struct flow from = flow_of(host);
	char text[512];

	(void)snprintf(
		text, sizeof(text),
		"INVITE sip:%s@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
		"From: <sip:4420@x>;tag=1\r\nTo: <sip:%s@192.0.2.1>\r\nCall-ID: 1\r\nCSeq: 1 "
		"INVITE\r\n"
		"Max-Forwards: 70\r\nUser-Agent: PBX 7\r\nContact: <sip:4420@192.0.2.9>\r\n"
		"Content-Length: 0\r\n\r\n",
		callee, callee);
	knocks_raw(k, &from, str_of(text), now);
}

/* The row of that address, a loan; NULL: there is none. */
static json_t *row_of(const json_t *list, const char *address)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "address")), address) == 0)
			return row;
	}
	return NULL;
}

static const char *text_of(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void a_source_is_counted_and_its_numbers_are_kept(void **state)
{
	CLEANUP(knocks_free) struct knocks *k = make();

	(void)state;
	for (int i = 0; i < 5; i++)
		knock(k, 0xc0000207, i < 4 ? "88017" : "88018", 1000 + i);

	CLEANUP(json_decref) json_t *list = knocks_json(k);
	const json_t *row = row_of(list, "192.0.2.7");

	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "messages")), 5);
	assert_string_equal(text_of(row, "method"), "INVITE");
	assert_string_equal(text_of(row, "caller"), "4420");
	/* read at most once a second */
	assert_string_equal(text_of(row, "callee"), "88017");
	knock(k, 0xc0000207, "88018", 2000);
	json_decref(list);
	list = knocks_json(k);
	assert_string_equal(text_of(row_of(list, "192.0.2.7"), "callee"), "88018");
}

static void what_is_no_message_is_counted_too(void **state)
{
	CLEANUP(knocks_free) struct knocks *k = make();
	const struct flow one = flow_of(0xc0000201), two = flow_of(0xc0000202);

	(void)state;
	knocks_raw(k, &one, STR("HELLO \r\n\x02\xff"), 1000);
	knocks_raw(k, &two, STR(""), 1000);

	CLEANUP(json_decref) json_t *list = knocks_json(k);

	assert_string_equal(text_of(row_of(list, "192.0.2.1"), "method"), "HELLO");
	assert_string_equal(text_of(row_of(list, "192.0.2.1"), "callee"), "");
	assert_string_equal(text_of(row_of(list, "192.0.2.2"), "method"), "");
}

/* Who knocks again and again is not pushed out by a flood of addresses that anybody can forge. */
static void a_flood_pushes_out_its_like(void **state)
{
	CLEANUP(knocks_free) struct knocks *k = make();

	(void)state;
	knock(k, 0xc0000207, "88017", 1000);
	knock(k, 0xc0000207, "88017", 3000);
	for (uint32_t i = 0; i < 100000; i++)
		knock(k, 0x0a000000 + i, "1", 4000);

	CLEANUP(json_decref) json_t *list = knocks_json(k);

	assert_int_equal(json_array_size(list), KNOCKS);
	assert_string_equal(text_of(row_of(list, "192.0.2.7"), "callee"), "88017");
}

static void one_life(void)
{
	struct knocks *k = NULL;

	if (oom_refused(knocks_create(&k)))
		return;
	knock(k, 0xc0000207, "88017", 1000);
	json_decref(knocks_json(k));
	knocks_free(k);
}

static void short_of_memory(void **state)
{
	(void)state;
	oom_each(one_life);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_counted_and_its_numbers_are_kept),
		cmocka_unit_test(what_is_no_message_is_counted_too),
		cmocka_unit_test(a_flood_pushes_out_its_like),
		cmocka_unit_test(short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
