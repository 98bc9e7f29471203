/*
 * restore: looks whether a backup is whole and its books are right, and puts one in the place of what is there.
 *
 * A restore is done before the switch opens its files. The backup is unpacked beside them and proved first; then they change places, file by
 * file, what was there going to DATA/before-restore. A mark says that this has begun, and whoever starts next ends it: after
 * power was cut at any moment there is the old state or the new one.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/err.h"

/*
 * Unpacks it to DATA/backup/verify, looks at every byte, page, balance and charge, and removes that again. *ret: {name, files, records, differences}. 0;
 * -EINVAL with *err: what is wrong with it.
 */
int restore_verify(const char *data_dir, const char *path, const atomic_bool *stop, json_t **ret,
		   struct err *err);
/* Proves the backup at `path` and puts it in place. */
int restore_from(const char *data_dir, const char *path, struct err *err);
/* Asks for it at the next start; name: of a backup in DATA/backup. 0; -EINVAL with *err. */
int restore_order(const char *data_dir, struct str name, struct err *err);
/* At start: ends a restore that was cut short, or does the one that was ordered. 1 if there was one. */
int restore_resume(const char *data_dir, struct err *err);
