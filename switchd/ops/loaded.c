#include "ops/loaded.h"

#include <errno.h>
#include <stdlib.h>

#include "store/rows.h"

static int keep(struct loaded *l, void *row)
{
	if (!row)
		return -ENOMEM;
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		void **more = reallocarray(l->row, room, sizeof(*more));

		if (!more) {
			row_free(l->entity, row);
			return -ENOMEM;
		}
		l->row = more;
		l->room = room;
	}
	l->row[l->count++] = row;
	return 0;
}

static int on_row(void *ctx, const void *row)
{
	struct loaded *l = ctx;

	return keep(l, row_copy(l->entity, row));
}

int loaded_read(struct loaded *l, struct db *db)
{
	return rows_each(db, l->entity, STR(""), 0, on_row, l);
}

void loaded_done(struct loaded *l)
{
	for (size_t i = 0; i < l->count; i++)
		row_free(l->entity, l->row[i]);
	free(l->row);
	l->row = NULL;
	l->count = l->room = 0;
}
