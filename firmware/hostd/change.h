/*
 * change: network, ports and firewall of the machine, changed so that a mistake does not lock its operator
 * out: what is not confirmed in time is undone, whatever has happened to this daemon, to the machine or to
 * the connection meanwhile.
 *
 * tandem.conf says it all, and switch-setup brings it into force, in a unit of its own.
 */
#pragma once

#include "host.h"

struct change;

/* Goes on with what was pending: one that is too late, or not wholly in force, is undone at once. */
int change_open(struct host *h, struct err *err);
void change_close(struct host *h);
/* Once a second. */
void change_tick(struct host *h);

int machine_settings(struct host *h, struct request *r, struct err *err);
int machine_change(struct host *h, struct request *r, struct err *err);
int machine_confirm(struct host *h, struct request *r, struct err *err);
int machine_undo(struct host *h, struct request *r, struct err *err);
