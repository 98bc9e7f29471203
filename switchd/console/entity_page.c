#include "entity_page.h"

#include "base/cleanup.h"
#include "desk.h"

/* The selected row, kept while the list is read again behind a form. NULL: none. */
static json_t *keep(void *ctx)
{
	return json_deep_copy(list_row(ctx));
}

/* The list shows at once what has changed. */
static int after(void *ctx, int r, bool is_done)
{
	return r == VIEW_STAYS && is_done ? list_read(ctx) : r;
}

int entity_page_show(void *ctx)
{
	CLEANUP(json_decref) json_t *row = keep(ctx);

	return row ? desk_show_row(list_app(ctx), list_entity(ctx), row) : VIEW_STAYS;
}

int entity_page_add(void *ctx)
{
	bool is_done = false;
	int r = desk_add(list_app(ctx), list_entity(ctx), list_args(ctx), &is_done);

	return after(ctx, r, is_done);
}

int entity_page_change(void *ctx)
{
	CLEANUP(json_decref) json_t *row = keep(ctx);
	bool is_done = false;
	int r = row ? desk_change(list_app(ctx), list_entity(ctx), row, &is_done) : VIEW_STAYS;

	return after(ctx, r, is_done);
}

int entity_page_delete(void *ctx)
{
	CLEANUP(json_decref) json_t *row = keep(ctx);
	bool is_done = false;
	int r = row ? desk_delete(list_app(ctx), list_entity(ctx), row,
				  "delete it? This cannot be undone.", &is_done)
		    : VIEW_STAYS;

	return after(ctx, r, is_done);
}
