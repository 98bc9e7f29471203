/* keys: the keys of an entity, asked of the daemon, for completion. */
#pragma once

typedef void keys_fn(void *ctx, const char *key);

/*
 * Calls on_key with each key that a shell takes as one plain word. Quietly none if the daemon
 * cannot be asked or takes more than two seconds: a shell must not hang on a key press.
 */
void keys_each(const char *socket, const char *entity, keys_fn *on_key, void *ctx);
