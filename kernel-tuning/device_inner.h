/* device_inner: what the parts of device share. */
#pragma once

#include "device.h"

enum { CPUS_MAX = 1024 };

/* Processors, in ascending order. */
struct cpus {
	uint16_t id[CPUS_MAX];
	uint32_t n;
};

/* "0-3,5" */
void cpus_take(struct cpus *c, struct str list);

struct machine {
	int root;
	struct cpus cpus; /* those that run */
	struct cpus near; /* of the card that is looked at */
	uint64_t memory_kib;
	uint32_t lines;
	wish_fn *fn;
	void *ctx;
};

typedef int name_fn(struct machine *m, const char *folder, const char *name);

/* A value in that folder, as knob_read has it. */
int device_read(const struct machine *m, const char *folder, const char *name, char **ret);
bool device_has(const struct machine *m, const char *folder, const char *name);
/* Every name in a folder that begins so; none if there is no such folder. */
int device_each_name(struct machine *m, const char *folder, const char *start, name_fn *fn);
int device_count_names(const struct machine *m, const char *folder, const char *start);

/* A wish begins with its path in parts: folder, name, what is below. 0 or -ENAMETOOLONG. */
int wish_begin(struct wish *w, const char *folder, const char *name, const char *below);
int wish_set(struct wish *w, const char *value);
/* And ends with its reason. */
__attribute__((format(printf, 3, 4))) int wish_tell(struct machine *m, struct wish *w,
						    const char *fmt, ...);

/* All that a network card asks for (device_card.c). */
int device_card(struct machine *m, const char *folder, const char *name);
