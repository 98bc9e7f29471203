#include "base/list.h"

#include "base/cleanup.h"
#include "unit.h"

struct item {
	int v;
	struct list node;
};

static void add(struct list *head, struct item *item, int v)
{
	item->v = v;
	list_add_tail(head, &item->node);
}

/* The values as digits of one number. */
static int digits(const struct list *head)
{
	int n = 0;

	for (struct list *it = head->next; it != head; it = it->next)
		n = n * 10 + CONTAINER(it, struct item, node)->v;
	return n;
}

static void nodes_come_in_the_order_they_joined(void **state)
{
	struct list head;
	struct item a, b, c;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	add(&head, &a, 1);
	add(&head, &b, 2);
	c.v = 3;
	list_add_head(&head, &c.node);
	assert_int_equal(digits(&head), 312);
	assert_ptr_equal(list_shift(&head), &c.node);
	assert_int_equal(digits(&head), 12);
	list_del(&b.node);
	list_del(&b.node); /* harmless */
	assert_int_equal(digits(&head), 1);
	assert_ptr_equal(list_shift(&head), &a.node);
	assert_null(list_shift(&head));
}

static void a_walk_stands_the_removal_of_the_current_node(void **state)
{
	struct list head, *it, *tmp;
	struct item item[9];

	(void)state;
	list_init(&head);
	for (int i = 0; i < 9; i++)
		add(&head, &item[i], i + 1);
	LIST_EACH (it, tmp, &head)
		if (CONTAINER(it, struct item, node)->v % 2)
			list_del(it);
	assert_int_equal(digits(&head), 2468);
}

static void a_list_moves_behind_another(void **state)
{
	struct list to, from;
	struct item item[4];

	(void)state;
	list_init(&to);
	list_init(&from);
	list_move_all(&to, &from);
	assert_true(list_is_empty(&to));

	add(&from, &item[0], 1);
	list_move_all(&to, &from);
	assert_int_equal(digits(&to), 1);
	assert_true(list_is_empty(&from));

	add(&from, &item[1], 2);
	add(&from, &item[2], 3);
	list_move_all(&to, &from);
	assert_int_equal(digits(&to), 123);
	add(&from, &item[3], 4);
	assert_int_equal(digits(&from), 4);
	list_del(&item[2].node);
	assert_int_equal(digits(&to), 12);
}

static int freed;

static int *count_free(int *p)
{
	freed += *p;
	return NULL;
}
DEFINE_CLEANUP(int *, count_free);

static int *hand_on(int *p)
{
	CLEANUP(count_free) int *mine = p;

	return TAKE(mine);
}

static void what_is_not_taken_is_released(void **state)
{
	int v = 5;

	(void)state;
	{
		CLEANUP(count_free) int *mine = &v;
		CLEANUP(count_free) int *none = NULL;

		(void)mine;
		(void)none;
	}
	assert_int_equal(freed, 5);
	assert_ptr_equal(hand_on(&v), &v);
	assert_int_equal(freed, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_come_in_the_order_they_joined),
		cmocka_unit_test(a_walk_stands_the_removal_of_the_current_node),
		cmocka_unit_test(a_list_moves_behind_another),
		cmocka_unit_test(what_is_not_taken_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
