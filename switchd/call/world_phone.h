/* world_phone: phones and digest users within a world; for world.c alone. */
#pragma once

#include "call/world.h"

/* Rows are taken over one by one. */
int take_phones(struct world *w, struct world_input *in, struct err *err);
/* Numbers and digest users, found by bsearch; two of the same are a conflict. */
int index_phones(struct world *w, struct err *err);
void phone_done(struct phone *p);
