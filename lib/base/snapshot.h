/*
 * snapshot: one thread publishes an immutable object, others read it without locks (liburcu QSBR,
 * whose only user this is).
 *
 * Readers register once, read the pointer, and say `quiescent` when they hold nothing (once a loop
 * turn); a thread that is about to wait goes offline. snapshot_wait returns when no reader can
 * still see what was replaced.
 */
#pragma once

void snapshot_thread_enter(void);
void snapshot_thread_leave(void);
void snapshot_quiescent(void);
void snapshot_offline(void);
void snapshot_online(void);
/*
 * Reader: *slot as published. Publisher: swaps and returns the old pointer, to be freed after
 * snapshot_wait.
 */
void *snapshot_read(void *const *slot);
void *snapshot_swap(void **slot, void *next);
void snapshot_wait(void);
