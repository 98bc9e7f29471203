#include "transport/tls_policy.h"

#include <errno.h>
#include <stdlib.h>

struct tls_policy_entry {
	struct hnode node;
	uint32_t number;
	struct tls_policy policy; /* its texts stand behind it */
	char text[];
};

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int parse_pin(struct str text, struct buf *out)
{
	if (text.n != 2 * TLS_PIN)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		buf_putc(out, (char)(high << 4 | low));
	}
	return 0;
}

int tls_pins_parse(struct str list, struct buf *out)
{
	struct str item;
	int r = 0;

	while (r == 0 && str_split(&list, ',', &item)) {
		if (!str_is_empty(item))
			r = parse_pin(item, out);
	}
	return r;
}

int tls_policies_init(struct tls_policies *t)
{
	*t = (struct tls_policies){ 0 };
	return htab_init(&t->by_content, 0);
}

void tls_policies_done(struct tls_policies *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->entry[i]);
	free(t->entry);
	htab_done(&t->by_content);
	*t = (struct tls_policies){ 0 };
}

static bool is_same(const struct tls_policy *a, const struct tls_policy *b)
{
	return a->check == b->check && str_eq(a->name, b->name) && str_eq(a->pins, b->pins);
}

static struct tls_policy_entry *copy(const struct tls_policy *p)
{
	struct tls_policy_entry *e = calloc(1, sizeof(*e) + p->name.n + p->pins.n + 1);

	if (!e)
		return NULL;
	if (p->name.n)
		memcpy(e->text, p->name.p, p->name.n);
	if (p->pins.n)
		memcpy(e->text + p->name.n + 1, p->pins.p, p->pins.n);
	e->policy = (struct tls_policy){ .check = p->check,
					 .name = str_n(e->text, p->name.n),
					 .pins = str_n(e->text + p->name.n + 1, p->pins.n) };
	return e;
}

static int make_room(struct tls_policies *t)
{
	uint32_t room = t->room ? t->room * 2 : 16;
	struct tls_policy_entry **more;

	if (t->count < t->room)
		return 0;
	more = reallocarray(t->entry, room, sizeof(struct tls_policy_entry *));
	if (!more)
		return -ENOMEM;
	t->entry = more;
	t->room = room;
	return 0;
}

uint32_t tls_policy_number(struct tls_policies *t, const struct tls_policy *p)
{
	uint64_t hash = htab_hash2(p->name, p->pins) + (uint64_t)p->check;
	struct hnode *it;

	HTAB_EACH_MATCH(it, &t->by_content, hash)
	{
		struct tls_policy_entry *e = CONTAINER(it, struct tls_policy_entry, node);

		if (is_same(&e->policy, p))
			return e->number;
	}

	struct tls_policy_entry *e = make_room(t) == 0 ? copy(p) : NULL;

	if (!e)
		return 0;
	t->entry[t->count++] = e;
	e->number = t->count;
	htab_add(&t->by_content, &e->node, hash);
	return t->count;
}

const struct tls_policy *tls_policy_at(const struct tls_policies *t, uint32_t number)
{
	static const struct tls_policy by_address = { .check = TLS_CHECK_NAME };

	return number > 0 && number <= t->count ? &t->entry[number - 1]->policy : &by_address;
}
