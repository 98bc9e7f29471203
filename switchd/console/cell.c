#include "cell.h"

#include <string.h>

const char *cell_text(const json_t *row, const char *name, const char *none)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : none;
}

bool cell_says(const json_t *row, const char *name, const char *text)
{
	return strcmp(cell_text(row, name, ""), text) == 0;
}

enum role cell_look_status(const json_t *row)
{
	return cell_says(row, "status", "normal") ? ROLE_PLAIN : ROLE_WARN;
}
