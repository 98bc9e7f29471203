#include "ops/inner.h"

/* Who is knocking: what the workers have counted of strangers, each source once (call/knocks.h). */

int knock_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return ask_workers(o, r, ASK_KNOCKS, 0, err);
}

static const char *text_of(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

/* Two workers met the same source: counts are added, the later one says what it sent. Takes none of them. */
static void add(json_t *one, const json_t *other)
{
	json_int_t sum = json_integer_value(json_object_get(one, "messages")) +
			 json_integer_value(json_object_get(other, "messages"));
	const char *first = text_of(other, "first");
	CLEANUP(json_decref)
	json_t *begin = json_string(strcmp(text_of(one, "first"), first) < 0 ? text_of(one, "first")
									     : first);

	if (strcmp(text_of(one, "last"), text_of(other, "last")) < 0)
		(void)json_object_update(one, (json_t *)(uintptr_t)other);
	(void)json_object_set_new(one, "messages", json_integer(sum));
	(void)json_object_set(one, "first", begin);
}

static void on_source(void *ctx, const struct source *s)
{
	const char **name = ctx;

	*name = s->row->name;
}

static void on_vendor(void *ctx, const struct vendor *v)
{
	const char **name = ctx;

	if (!*name)
		*name = v->row->name;
}

/* Whose address it is by now, or was all the time: then it is the number or the transport that no gateway takes. */
static void name_it(const struct world *w, json_t *row)
{
	struct addr a;
	const char *name = NULL;

	if (addr_parse(str_of(text_of(row, "address")), 0, &a) < 0)
		return;
	world_sources_at(w, &a, on_source, &name);
	world_vendors_at(w, &a, on_vendor, &name);
	(void)json_object_set_new(row, "known_as", json_string(name ? name : ""));
}

void knocks_join(struct ops *o, json_t *list)
{
	CLEANUP(json_decref) json_t *known = json_object();

	for (size_t i = 0; known && i < json_array_size(list);) {
		json_t *row = json_array_get(list, i);
		json_t *one = json_object_get(known, text_of(row, "address"));

		if (one) {
			add(one, row);
			(void)json_array_remove(list, i);
			continue;
		}
		(void)json_object_set(known, text_of(row, "address"), row);
		name_it(catalog_world(o->catalog), row);
		i++;
	}
}
