#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dice.h"
#include "oom.h"
#include "route/router.h"

enum mode { PLAIN = 0, TERMINATING = 1, PROTECTED = 2 };

/* A gateway as a test writes it. */
struct given {
	const char *name;
	const char *prefix; /* NULL = all numbers */
	int64_t priority;
	unsigned mode;
};

enum { ROWS = 300, TEXT = 100 };

struct vendors {
	size_t n;
	struct routing_gateway_row *at[ROWS];
	struct routing_gateway_row row[ROWS];
	char name[ROWS][TEXT], prefix[ROWS][TEXT];
};

static struct vendors vendors;

static char *text(char to[TEXT], const char *from)
{
	if (!from)
		return NULL;
	assert_int_equal(str_copy(to, TEXT, str_of(from)), 0);
	return to;
}

static void add(const struct given *g)
{
	size_t i = vendors.n++;

	assert_true(i < ROWS);
	vendors.row[i] = (struct routing_gateway_row){
		.name = text(vendors.name[i], g->name),
		.prefix = text(vendors.prefix[i], g->prefix),
		.priority = g->priority,
		.prefix_mode = g->mode & TERMINATING ? ROUTING_GATEWAY_PREFIX_MODE_TERMINATING
						     : ROUTING_GATEWAY_PREFIX_MODE_CONTINUING,
		.protect = (g->mode & PROTECTED) != 0,
	};
	vendors.at[i] = &vendors.row[i];
}

#define VENDORS(...) fill((const struct given[]){ __VA_ARGS__, { .name = NULL } })

static void fill(const struct given *g)
{
	vendors.n = 0;
	for (; g->name; g++)
		add(g);
}

static struct router *made(void)
{
	struct router *r = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(router_create(&r, vendors.at, vendors.n, &err), 0);
	assert_false(err_is_set(&err));
	return r;
}

/* The names of the candidates with the length of their prefixes: "a/3 b/0". */
static void assert_found(const char *number, const char *expected)
{
	struct router *r = made();
	struct candidate found[ROUTE_CANDIDATES];
	size_t n = router_find(r, str_of(number), found, NULL);
	char line[ROUTE_CANDIDATES * 20] = "";
	struct buf out = buf_fixed(line, sizeof(line));

	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s/%d", i ? " " : "", vendors.name[found[i].gateway],
			   found[i].prefix_len);
	assert_string_equal(buf_cstr(&out), expected);
	router_free(r);
}

static void the_longest_prefix_is_tried_first_then_priority_then_name(void **state)
{
	(void)state;
	VENDORS({ "all", NULL, 1, PLAIN }, { "z", "88", 2, PLAIN }, { "y", "88", 2, PLAIN },
		{ "x", "88", 1, PLAIN }, { "long", "8801", 100, PLAIN },
		{ "other", "44", 1, PLAIN });

	assert_found("8801712", "long/4 x/2 y/2 z/2 all/0");
	assert_found("88", "x/2 y/2 z/2 all/0");
	assert_found("8", "all/0");
	assert_found("", "all/0");
	assert_found("442", "other/2 all/0");
	assert_found("44x", "other/2 all/0");
}

static void without_a_matching_prefix_there_is_no_candidate(void **state)
{
	(void)state;
	VENDORS({ "a", "880,881", 1, PLAIN });
	assert_found("882", "");
	vendors.n = 0;
	assert_found("882", "");
}

static void a_gateway_counts_once_by_its_longest_prefix(void **state)
{
	(void)state;
	VENDORS({ "a", "8,88,880, 44 ,88", 10, PLAIN }, { "b", "88", 1, PLAIN });
	assert_found("8801", "a/3 b/2");
	assert_found("8811", "b/2 a/2");
	assert_found("81", "a/1");
	assert_found("441", "a/2");
}

static void after_a_terminating_gateway_no_shorter_prefix_is_tried(void **state)
{
	(void)state;
	VENDORS({ "t", "880", 5, TERMINATING }, { "same", "880", 9, PLAIN },
		{ "longer", "8801", 9, PLAIN }, { "shorter", "88", 1, PLAIN },
		{ "all", NULL, 1, PLAIN });
	assert_found("8801", "longer/4 t/3 same/3");
	assert_found("8802", "t/3 same/3");
	assert_found("881", "shorter/2 all/0");
}

static void protected_gateways_come_after_all_others(void **state)
{
	(void)state;
	VENDORS({ "p", "880", 1, PROTECTED }, { "all", NULL, 50, PLAIN }, { "b", "88", 50, PLAIN },
		{ "q", NULL, 2, PROTECTED }, { "r", NULL, 1, PROTECTED });
	assert_found("8801", "b/2 all/0 p/3 r/0 q/0");
	assert_found("44", "all/0 r/0 q/0");
}

static void a_protected_terminating_gateway_shuts_out_protected_ones_only(void **state)
{
	(void)state;
	VENDORS({ "p", "880", 1, PROTECTED | TERMINATING }, { "all", NULL, 50, PLAIN },
		{ "q", NULL, 2, PROTECTED });
	assert_found("8801", "all/0 p/3");

	VENDORS({ "t", "88", 1, TERMINATING }, { "all", NULL, 50, PLAIN },
		{ "p", "880", 2, PROTECTED }, { "q", NULL, 2, PROTECTED });
	assert_found("8801", "t/2 p/3");
}

static void no_more_than_256_are_given_the_best_ones(void **state)
{
	(void)state;
	struct candidate found[ROUTE_CANDIDATES];
	char name[TEXT];

	vendors.n = 0;
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "%03d", i);
		add(&(struct given){ .name = name, .prefix = "8", .priority = 300 - i });
	}
	struct router *r = made();
	assert_int_equal(router_find(r, STR("88"), found, NULL), ROUTE_CANDIDATES);
	for (uint32_t i = 0; i < ROUTE_CANDIDATES; i++)
		assert_int_equal(found[i].gateway, 299 - i);
	router_free(r);
}

static void a_bad_prefix_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"88a", "8,,9", ",", "8;9", "8 8", "-", "12345678901234567890123456789012345678901"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct router *r = NULL;
		struct err err = ERR_INIT;

		VENDORS({ "good", "1", 1, PLAIN }, { "bad", bad[i], 1, PLAIN });
		assert_int_equal(router_create(&r, vendors.at, vendors.n, &err), -EINVAL);
		assert_null(r);
		assert_string_equal(err.field, "prefix");
		assert_non_null(strstr(err.message, "bad"));
		assert_int_equal(router_create(&r, vendors.at, vendors.n, NULL), -EINVAL);
	}
}

/* The longest prefix of a gateway that the number begins with; -1 for none. */
static int longest(const struct routing_gateway_row *row, struct str number)
{
	struct str list = str_of(row->prefix), prefix;
	int best = str_is_empty(list) ? 0 : -1;

	while (str_split(&list, ',', &prefix))
		if (str_has_prefix(number, prefix) && (int)prefix.n > best)
			best = (int)prefix.n;
	return best;
}

struct seen {
	size_t gateway;
	int len;
};

/* True if a is to be tried before b. */
static bool is_before(const struct seen *a, const struct seen *b)
{
	const struct routing_gateway_row *x = vendors.at[a->gateway], *y = vendors.at[b->gateway];

	if (x->protect != y->protect)
		return y->protect;
	if (a->len != b->len)
		return a->len > b->len;
	if (x->priority != y->priority)
		return x->priority < y->priority;
	return strcmp(x->name, y->name) < 0;
}

/* All gateways that match, in order, by insertion. */
static size_t sorted(struct str number, struct seen ret[ROWS])
{
	size_t n = 0;

	for (size_t i = 0; i < vendors.n; i++) {
		struct seen s = { i, longest(vendors.at[i], number) };
		size_t at = n;

		if (s.len < 0)
			continue;
		for (n++; at > 0 && is_before(&s, &ret[at - 1]); at--)
			ret[at] = ret[at - 1];
		ret[at] = s;
	}
	return n;
}

/* Of those, the ones that no terminating gateway before them shuts out. */
static size_t scan(struct str number, struct seen ret[ROWS])
{
	size_t all = sorted(number, ret), n = 0;
	int shortest = 0;

	for (size_t i = 0; i < all; i++) {
		if (ret[i].len < shortest)
			continue;
		ret[n++] = ret[i];
		if (vendors.at[ret[i].gateway]->prefix_mode ==
		    ROUTING_GATEWAY_PREFIX_MODE_TERMINATING)
			shortest = ret[i].len;
	}
	return n < ROUTE_CANDIDATES ? n : ROUTE_CANDIDATES;
}

static void random_digits(struct dice *d, struct buf *out, int64_t min, int64_t max)
{
	for (int64_t n = dice_in(d, min, max); n > 0; n--)
		buf_putc(out, "123"[dice_in(d, 0, 2)]);
}

static void random_vendors(struct dice *d)
{
	char prefix[TEXT], name[TEXT];

	vendors.n = 0;
	for (int64_t n = dice_in(d, 0, dice_one_in(d, 10) ? ROWS : 20); n > 0; n--) {
		struct buf list = buf_fixed(prefix, sizeof(prefix));

		for (int64_t p = dice_in(d, 0, 4); p > 0; p--) {
			if (list.n > 0)
				buf_putc(&list, ',');
			random_digits(d, &list, 1, 4);
		}
		(void)snprintf(name, sizeof(name), "%lld", (long long)(dice_u64(d) >> 1));
		add(&(struct given){ .name = name,
				     .prefix = buf_cstr(&list),
				     .priority = dice_in(d, 1, 3),
				     .mode = (dice_one_in(d, 8) ? TERMINATING : PLAIN) |
					     (dice_one_in(d, 5) ? PROTECTED : PLAIN) });
	}
}

static void assert_same_as_scan(const struct router *r, struct str number)
{
	struct seen expected[ROWS];
	struct candidate found[ROUTE_CANDIDATES];
	size_t n = scan(number, expected);

	assert_int_equal(router_find(r, number, found, NULL), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(found[i].gateway, expected[i].gateway);
		assert_int_equal(found[i].prefix_len, expected[i].len);
	}
}

static void any_lookup_is_that_of_a_scan_of_all_gateways(void **state)
{
	(void)state;
	struct dice d = dice_new();
	char number[TEXT];

	/* Few rounds: the whole test is run again for each of their allocations. */
	for (int round = 0; round < 40; round++) {
		random_vendors(&d);
		struct router *r = made();

		for (int i = 0; i < 150; i++) {
			struct buf digits = buf_fixed(number, sizeof(number));

			random_digits(&d, &digits, 0, 6);
			assert_same_as_scan(r, buf_str(&digits));
		}
		router_free(r);
	}
}

static void a_router_is_made(void)
{
	CLEANUP(router_free) struct router *r = NULL;
	struct candidate found[ROUTE_CANDIDATES];

	VENDORS({ "a", "88,44", 1, PLAIN }, { "b", NULL, 1, PLAIN });
	if (oom_refused(router_create(&r, vendors.at, vendors.n, NULL)))
		return;
	assert_int_equal(router_find(r, STR("880"), found, NULL), 2);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_router_is_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_is_tried_first_then_priority_then_name),
		cmocka_unit_test(without_a_matching_prefix_there_is_no_candidate),
		cmocka_unit_test(a_gateway_counts_once_by_its_longest_prefix),
		cmocka_unit_test(after_a_terminating_gateway_no_shorter_prefix_is_tried),
		cmocka_unit_test(protected_gateways_come_after_all_others),
		cmocka_unit_test(a_protected_terminating_gateway_shuts_out_protected_ones_only),
		cmocka_unit_test(no_more_than_256_are_given_the_best_ones),
		cmocka_unit_test(a_bad_prefix_is_refused),
		cmocka_unit_test(any_lookup_is_that_of_a_scan_of_all_gateways),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
