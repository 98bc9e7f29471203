/*
 * apply: makes the machine what the answers say: files, services, and a switch that is running.
 *
 * All of it may be done again at any time: what is right already is left alone.
 */
#pragma once

#include "base/err.h"
#include "setup.h"

/*
 * Writes the files, restarts what they concern, waits until the machine has its address, starts the
 * switch and waits until it answers. Below another root nothing is restarted and no address is
 * waited for. 0 or negative errno with *err.
 */
int apply_machine(struct setup *s, struct err *err);
/*
 * At every boot, before switchd: its arguments again from /etc/tandem/tandem.conf and the address
 * that the machine has got this time. Restarts nothing.
 */
int apply_refresh(struct setup *s, struct err *err);
