/*
 * entity_page: the keys of a list whose rows are an entity's: show, add, change, delete.
 *
 * ctx of each is the list; which entity it is says the spec of the list.
 */
#pragma once

#include "list.h"

int entity_page_show(void *ctx);
int entity_page_add(void *ctx);
int entity_page_change(void *ctx);
int entity_page_delete(void *ctx);

#define ENTITY_KEYS                                                                              \
	{ K_ENTER, 0, "Show", "Every field of the selected one", 0, entity_page_show },          \
		{ 'a', K_INSERT, "Add", "Make a new one", BINDING_CHANGES, entity_page_add },    \
		{ 'e',                                                                           \
		  K_F(2),                                                                        \
		  "Change",                                                                      \
		  "Change fields of the selected one",                                           \
		  BINDING_CHANGES,                                                               \
		  entity_page_change },                                                          \
	{                                                                                        \
		'x', K_DELETE, "Delete", "Delete the selected one; asks first", BINDING_CHANGES, \
			entity_page_delete                                                       \
	}
