#include "call/tester.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "vendor/ping.h"

struct test {
	struct list node; /* in tester->tests */
	struct tester *tester;
	uint32_t ref;
	struct testcall *call;
	struct ping **ping; /* of each address */
	int pings, left;
	struct addr *address;
	enum proto proto;
};

struct tester {
	struct worker *worker;
	struct sender sender;
	struct list tests;
	int count;
};

static char *refusal(const char *why)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_printf(&out, "{\"error\":\"%s\"}", why);
	return buf_steal(&out);
}

static void test_free(struct test *t)
{
	for (int i = 0; i < t->pings; i++)
		ping_free(t->ping[i]);
	testcall_free(t->call);
	list_del(&t->node);
	t->tester->count--;
	free(t->ping);
	free(t->address);
	free(t);
}

/* The last statement of whoever calls it. */
static void over(struct test *t, char *text)
{
	struct worker *w = t->tester->worker;
	struct ask_answer a = { .ref = t->ref, .worker = w->c.index, .text = text };

	if (!ring_push(w->c.answers, &a, sizeof(a), NULL, 0))
		free(text);
	test_free(t);
}

/* ---- OPTIONS ---- */

static json_t *ping_json(const struct test *t, int i)
{
	const struct ping_result *r = ping_result(t->ping[i]);
	char address[ADDR_TEXT];
	json_t *o = json_pack("{s:s s:s s:i s:i s:i s:i s:i}", "address",
			      addr_text(&t->address[i], address), "transport", proto_name(t->proto),
			      "sent", r->sent, "answered", r->answered, "loss_percent",
			      (r->sent - r->answered) * 100 / r->sent, "repeated", r->repeated,
			      "code", r->code);

	if (r->answered > 0) {
		(void)json_object_set_new(o, "min_us", json_integer(r->min_us));
		(void)json_object_set_new(o, "avg_us", json_integer(r->sum_us / r->answered));
		(void)json_object_set_new(o, "max_us", json_integer(r->max_us));
	}
	if (r->error)
		(void)json_object_set_new(o, "error", json_string(transport_error_text(r->error)));
	return o;
}

static void on_pinged(void *ctx, struct ping *p)
{
	struct test *t = ctx;
	json_t *list;
	char *text;

	(void)p;
	if (--t->left > 0)
		return;
	list = json_array();
	for (int i = 0; i < t->pings; i++)
		(void)json_array_append_new(list, ping_json(t, i));
	text = list ? json_dumps(list, JSON_COMPACT) : NULL;
	json_decref(list);
	over(t, text);
}

static const char *begin_pings(struct test *t, const struct ask_test *a)
{
	struct worker *w = t->tester->worker;
	const struct vendor *v = world_vendor(w->world, a->gateway);
	struct flow f = { 0 };

	if (!v)
		return "there is no such routing gateway any more";
	t->proto = v->proto;
	t->ping = calloc((size_t)v->address_count, sizeof(struct ping *));
	t->address = calloc((size_t)v->address_count, sizeof(struct addr));
	if (!t->ping || !t->address)
		return "memory is short";
	f.proto = (uint8_t)v->proto;
	(void)transport_secure(w->transport, &f, &v->tls);
	t->left = v->address_count;
	for (int i = 0; i < v->address_count; i++) {
		t->address[i] = v->address[i];
		if (ping_create(&t->ping[i], &t->tester->sender,
				(struct means){ v->proto, f.policy }, &v->address[i], a->count,
				on_pinged, t) < 0)
			return "memory is short";
		t->pings++;
	}
	return NULL;
}

/* ---- both ---- */

static void on_called(void *ctx, struct testcall *c, char *text)
{
	(void)c;
	over(ctx, text);
}

char *tester_begin(struct tester *tester, const struct ask *a)
{
	const char *why = NULL;
	struct test *t;

	if (tester->count == TESTS_MAX)
		return refusal("as many tests run as may run at once");
	t = calloc(1, sizeof(*t));
	if (!t)
		return refusal("memory is short");
	t->tester = tester;
	t->ref = a->ref;
	list_init(&t->node);
	list_add_tail(&tester->tests, &t->node);
	tester->count++;
	if (a->kind == ASK_TEST_CALL)
		t->call = testcall_create(tester->worker, &a->test, on_called, t, &why);
	else
		why = begin_pings(t, &a->test);
	if (!why)
		return NULL;
	test_free(t);
	return refusal(why);
}

bool tester_request(struct tester *tester, struct server_txn *txn, const struct msg *m)
{
	struct list *it, *tmp;

	if (!tester)
		return false;
	LIST_EACH (it, tmp, &tester->tests) {
		struct test *t = CONTAINER(it, struct test, node);

		if (t->call && testcall_request(t->call, txn, m))
			return true;
	}
	return false;
}

int tester_create(struct tester **ret, struct worker *w)
{
	struct tester *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->worker = w;
	t->sender = (struct sender){
		.loop = &w->loop, .transport = w->transport, .sip = w->sip, .worker = w->c.index
	};
	list_init(&t->tests);
	*ret = t;
	return 0;
}

struct tester *tester_free(struct tester *t)
{
	if (!t)
		return NULL;
	while (!list_is_empty(&t->tests))
		test_free(CONTAINER(t->tests.next, struct test, node));
	free(t);
	return NULL;
}
