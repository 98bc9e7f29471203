/* yard: a folder of its own for a test, which goes away with everything in it. */
#pragma once

#include "place.h"

/* A fresh folder as the root of p. */
void yard_open(struct place *p);
/* Removes it. */
void yard_close(struct place *p);
/* The file's text is exactly this; NULL: there is no such file. */
void yard_expect(const struct place *p, const char *path, const char *text);
