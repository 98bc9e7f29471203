/* machine: what binds a licence to this machine: product UUID and first physical interface. */
#pragma once

#include "base/err.h"
#include "model/licence.h"

/*
 * sys: where sysfs is, "/sys". The first interface is the one with the lowest index of those that
 * have a device behind them. A machine whose firmware names no UUID counts as one of zeros. 0;
 * -EINVAL with *err; -ENOMEM.
 */
int machine_binding(const char *sys, char ret[LICENCE_BINDING], struct err *err);
