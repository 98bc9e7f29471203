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

/* Our address as that peer sees it; null: no listener of ours speaks to it. */
static json_t *local_json(const struct test *t, int i)
{
	struct flow f;
	struct addr local;
	char text[ADDR_TEXT];
	int r = sender_find(&t->tester->sender, (struct means){ t->proto, 0 }, &t->address[i], &f,
			    &local);

	return r < 0 ? json_null() : json_string(addr_text(&local, text));
}

static json_t *ping_json(const struct test *t, int i)
{
	const struct ping_result *r = ping_result(t->ping[i]);
	char address[ADDR_TEXT];
	json_t *o = json_pack("{s:s s:s s:o s:i s:i s:i s:i s:i}", "address",
			      addr_text(&t->address[i], address), "transport", proto_name(t->proto),
			      "local", local_json(t, i), "sent", r->sent, "answered", r->answered,
			      "loss_percent", (r->sent - r->answered) * 100 / r->sent, "repeated",
			      r->repeated, "code", r->code);

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

/* Whom to ask, and how. */
struct target {
	const struct addr *address;
	int count;
	enum proto proto;
	struct tls_policy tls;
};

static const char *ping_all(struct test *t, const struct target *to, int times)
{
	struct worker *w = t->tester->worker;
	struct flow f = { .proto = (uint8_t)to->proto };

	t->proto = to->proto;
	t->ping = calloc((size_t)to->count, sizeof(struct ping *));
	t->address = calloc((size_t)to->count, sizeof(struct addr));
	if (!t->ping || !t->address)
		return "memory is short";
	(void)transport_secure(w->transport, &f, &to->tls);
	t->left = to->count;
	for (int i = 0; i < to->count; i++) {
		t->address[i] = to->address[i];
		if (ping_create(&t->ping[i], &t->tester->sender,
				(struct means){ to->proto, f.policy }, &to->address[i], times,
				on_pinged, t) < 0)
			return "memory is short";
		t->pings++;
	}
	return NULL;
}

static const char *begin_pings(struct test *t, const struct ask *a)
{
	const struct vendor *v = world_vendor(t->tester->worker->world, a->test.gateway);
	struct target to = { .address = &a->test.address,
			     .count = 1,
			     .proto = a->test.proto,
			     .tls = { .check = TLS_CHECK_NONE } };

	if (a->kind == ASK_TEST_GATEWAY && !v)
		return "there is no such routing gateway any more";
	if (a->kind == ASK_TEST_GATEWAY)
		to = (struct target){ v->address, v->address_count, v->proto, v->tls };
	return ping_all(t, &to, a->test.count);
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
		why = begin_pings(t, a);
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
