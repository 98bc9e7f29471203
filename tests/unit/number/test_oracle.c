/* Transforms, lists, ranges and areas against oracles that look at every rule, on random tables and numbers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dice.h"
#include "number/areas.h"
#include "number/numlist.h"
#include "number/ranges.h"
#include "number/transform.h"
#include "oom.h"

enum { ROUNDS = 2000, ITEMS = 30, LONGEST = 5 };

struct word {
	char text[64];
};

/* Few characters, so that prefixes, doubles and matches are many. */
static struct word random_word(struct dice *d, int min, int max, const char *alphabet)
{
	struct word w = { 0 };
	int n = (int)dice_in(d, min, max);
	int letters = (int)strlen(alphabet);

	for (int i = 0; i < n; i++)
		w.text[i] = alphabet[dice_in(d, 0, letters - 1)];
	return w;
}

static void append(struct word *w, char c)
{
	w->text[strlen(w->text)] = c;
}

static bool begins(const char *number, const char *prefix)
{
	return strncmp(number, prefix, strlen(prefix)) == 0;
}

/* ---- transforms ---- */

/* What features.md §4.1 says, character by character; NULL: no rule fits. */
static bool fits(const char *from, const char *number)
{
	for (; *from && *from != '*'; from++, number++) {
		if (!*number || (*from == '?' ? *number < '0' || *number > '9' : *from != *number))
			return false;
	}
	return true;
}

static struct word expected(const struct word *from, const struct word *to, int n,
			    const char *number)
{
	struct word w = { 0 };
	int best = -1, best_n = -1;

	for (int i = 0; i < n; i++) {
		int len = (int)strcspn(from[i].text, "*");

		if (fits(from[i].text, number) && len > best_n) {
			best = i;
			best_n = len;
		}
	}
	if (best < 0) {
		(void)snprintf(w.text, sizeof(w.text), "%s", number);
		return w;
	}

	bool has_star = strchr(from[best].text, '*') != NULL;
	const char *rest = number + best_n, *star = strchr(to[best].text, '*');

	if (!has_star)
		(void)snprintf(w.text, sizeof(w.text), "%s%s", to[best].text, rest);
	else if (!star)
		(void)snprintf(w.text, sizeof(w.text), "%s", to[best].text);
	else
		(void)snprintf(w.text, sizeof(w.text), "%.*s%s%s", (int)(star - to[best].text),
			       to[best].text, rest, star + 1);
	return w;
}

static struct transform *random_rules(struct dice *d, struct word *from, struct word *to, int n)
{
	struct transform *t = NULL;
	struct buf text = BUF_INIT;

	for (int i = 0; i < n; i++) {
		from[i] = random_word(d, 0, LONGEST, "0123?");
		to[i] = random_word(d, 0, LONGEST, "0123");
		if (dice_one_in(d, 3)) {
			append(&from[i], '*');
			if (dice_one_in(d, 2) || !to[i].text[0])
				append(&to[i], '*');
			if (dice_one_in(d, 2))
				append(&to[i], '9');
		}
		buf_printf(&text, "%s%s:%s", i ? "," : "", from[i].text, to[i].text);
	}
	assert_int_equal(transform_create(&t, buf_str(&text), NULL), 0);
	buf_done(&text);
	return t;
}

static void transforms_do_as_every_rule_says(void **state)
{
	(void)state;
	struct dice d = dice_new();

	for (int round = 0; round < ROUNDS; round++) {
		struct word from[ITEMS], to[ITEMS];
		int n = (int)dice_in(&d, 1, ITEMS);
		struct transform *t = random_rules(&d, from, to, n);

		for (int i = 0; i < 20; i++) {
			struct word number = random_word(&d, 1, 8, "0123#");
			struct word want = expected(from, to, n, number.text);
			char room[64];
			struct buf out = buf_fixed(room, sizeof(room));
			int r = transform_apply(t, str_of(number.text), &out);

			assert_int_equal(r, want.text[0] ? 0 : -EINVAL);
			assert_true(str_eq(buf_str(&out), str_of(want.text)));
		}
		transform_free(t);
	}
}

/* ---- lists, ranges, areas ---- */

static void put_list(const struct word *item, int n, struct buf *out)
{
	for (int i = 0; i < n; i++)
		buf_printf(out, "%s%s", i ? "," : "", item[i].text);
}

static void lists_hold_what_was_put_in(void **state)
{
	(void)state;
	struct dice d = dice_new();

	for (int round = 0; round < ROUNDS; round++) {
		struct word item[ITEMS];
		struct buf text = BUF_INIT;
		struct numlist *l = NULL;
		int n = (int)dice_in(&d, 0, ITEMS);

		for (int i = 0; i < n; i++)
			item[i] = random_word(&d, 1, LONGEST, "012");
		put_list(item, n, &text);
		assert_int_equal(numlist_create(&l, buf_str(&text)), 0);
		for (int i = 0; i < 20; i++) {
			struct word number = random_word(&d, 1, LONGEST, "012");
			bool is_there = false;

			for (int k = 0; k < n; k++)
				is_there |= strcmp(item[k].text, number.text) == 0;
			assert_int_equal(numlist_has(l, str_of(number.text)), is_there);
		}
		numlist_free(l);
		buf_done(&text);
	}
}

static int longest(const struct word *item, int n, const char *number)
{
	int best = -1;

	for (int i = 0; i < n; i++) {
		if (begins(number, item[i].text) && (int)strlen(item[i].text) > best)
			best = (int)strlen(item[i].text);
	}
	return best;
}

static void the_longest_prefix_decides(void **state)
{
	(void)state;
	struct dice d = dice_new();

	for (int round = 0; round < ROUNDS; round++) {
		struct word allow[ITEMS], deny[ITEMS];
		struct buf a = BUF_INIT, b = BUF_INIT;
		struct ranges *r = NULL;
		int na = (int)dice_in(&d, 0, 8), nb = (int)dice_in(&d, 0, 8);

		for (int i = 0; i < na; i++)
			allow[i] = random_word(&d, 1, LONGEST, "01");
		for (int i = 0; i < nb; i++)
			deny[i] = random_word(&d, 1, LONGEST, "01");
		put_list(allow, na, &a);
		put_list(deny, nb, &b);

		bool clashes = false;
		for (int i = 0; i < na; i++) {
			for (int k = 0; k < nb; k++)
				clashes |= strcmp(allow[i].text, deny[k].text) == 0;
		}
		int e = ranges_create(&r, buf_str(&a), buf_str(&b), NULL);
		assert_int_equal(e, clashes ? -EINVAL : 0);
		for (int i = 0; e == 0 && i < 20; i++) {
			struct word number = random_word(&d, 0, 8, "01");
			int yes = longest(allow, na, number.text);
			int no = longest(deny, nb, number.text);
			size_t at;

			assert_int_equal(ranges_allows(r, str_of(number.text), &at),
					 yes > no || (no < 0 && na == 0));
			assert_int_equal(at, yes > no ? yes : no > 0 ? no : 0);
		}
		ranges_free(r);
		buf_done(&a);
		buf_done(&b);
	}
}

static void the_longest_prefix_names_the_area(void **state)
{
	(void)state;
	struct dice d = dice_new();

	for (int round = 0; round < ROUNDS; round++) {
		struct word item[ITEMS];
		struct areas_draft draft = { 0 };
		struct areas *a = NULL;
		int n = 0;

		for (int i = (int)dice_in(&d, 0, ITEMS); i > 0; i--) {
			item[n] = random_word(&d, 1, LONGEST, "012");
			bool is_there = false;
			for (int k = 0; k < n; k++)
				is_there |= strcmp(item[k].text, item[n].text) == 0;
			if (!is_there)
				n++;
		}
		for (int i = 0; i < n; i++)
			areas_add(&draft, str_of(item[i].text), str_of(item[i].text));
		assert_int_equal(areas_create(&a, &draft), 0);
		areas_draft_done(&draft);
		for (int i = 0; i < 20; i++) {
			struct word number = random_word(&d, 0, 8, "012");
			int best = longest(item, n, number.text);
			const char *name = areas_find(a, str_of(number.text));

			assert_int_equal(name != NULL, best >= 0);
			if (name)
				assert_true(begins(number.text, name) && (int)strlen(name) == best);
		}
		areas_free(a);
	}
}

static void bad_ones_are_refused(void **state)
{
	(void)state;
	struct areas_draft draft = { 0 };
	struct areas *a = NULL;
	struct ranges *r = NULL;
	struct err err = ERR_INIT;
	size_t at;

	areas_add(&draft, STR("1x"), STR("name"));
	assert_int_equal(areas_create(&a, &draft), -EINVAL);
	areas_draft_done(&draft);
	draft = (struct areas_draft){ 0 };
	areas_add(&draft, STR("1"), STR("a"));
	areas_add(&draft, STR("1"), STR("b"));
	assert_int_equal(areas_create(&a, &draft), -EEXIST);
	areas_draft_done(&draft);
	assert_null(areas_find(NULL, STR("1")));

	assert_int_equal(ranges_create(&r, STR("44,4x"), STR(""), &err), -EINVAL);
	assert_string_equal(err.given, "4x");
	assert_int_equal(ranges_create(&r, STR(""), STR(","), NULL), 0);
	assert_null(r);
	assert_true(ranges_allows(NULL, STR(""), &at));
}

static void all_are_made(void)
{
	CLEANUP(areas_draft_done) struct areas_draft draft = { 0 };
	CLEANUP(areas_free) struct areas *a = NULL;
	CLEANUP(ranges_free) struct ranges *r = NULL;

	areas_add(&draft, STR("44"), STR("UK"));
	if (oom_refused(areas_create(&a, &draft)) ||
	    oom_refused(ranges_create(&r, STR("44"), STR("45"), NULL)))
		return;
	assert_string_equal(areas_find(a, STR("442")), "UK");
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(all_are_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transforms_do_as_every_rule_says),
		cmocka_unit_test(lists_hold_what_was_put_in),
		cmocka_unit_test(the_longest_prefix_decides),
		cmocka_unit_test(the_longest_prefix_names_the_area),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
