#include "shape.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/text.h"

enum { STAMP = 19 }; /* 2026-11-25T23:15:02 */

void shape_time(json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	char stamp[STAMP + 1];

	if (!text || strlen(text) < STAMP || text[10] != 'T')
		return;
	(void)snprintf(stamp, sizeof(stamp), "%.10s %.8s", text, text + 11);
	(void)json_object_set_new(row, name, json_string(stamp));
}

void shape_duration(json_t *row, const char *ms, const char *name)
{
	json_int_t s = json_integer_value(json_object_get(row, ms)) / 1000;
	char text[32];

	if (s >= 3600)
		(void)snprintf(text, sizeof(text), "%lld:%02lld:%02lld", (long long)s / 3600,
			       (long long)s / 60 % 60, (long long)s % 60);
	else
		(void)snprintf(text, sizeof(text), "%lld:%02lld", (long long)s / 60,
			       (long long)s % 60);
	(void)json_object_set_new(row, name, json_string(text));
}

void shape_cut(json_t *row, const char *name, size_t max)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	const json_t *v = json_object_get(row, name);

	if (!json_is_string(v) || json_string_length(v) <= max)
		return;
	text_put_cut(&b, str_n(json_string_value(v), json_string_length(v)), max);
	if (!buf_error(&b))
		(void)json_object_set_new(row, name, json_of_text(buf_str(&b)));
}

static bool is_empty(const json_t *v)
{
	return json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0) ||
	       (json_is_array(v) && json_array_size(v) == 0);
}

json_t *shape_filled(const json_t *object)
{
	json_t *filled = json_object(), *v;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)object, name, v)
	{
		if (!is_empty(v) && json_object_set(filled, name, v) < 0) {
			json_decref(filled);
			return NULL;
		}
	}
	return filled;
}
