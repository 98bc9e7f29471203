/*
 * ethtool: what a network card is set to beyond /sys, as knobs: "ethtool/CARD/WHAT", WHAT being
 *
 *	rx-ring, rx-ring-max, tx-ring, tx-ring-max   packets that the card keeps for us, and for itself
 *	rx-usecs                                     how long it collects packets before it interrupts
 *	adaptive-rx                                  1: it finds that out by itself
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define ETHTOOL "ethtool/"

/* -ENOENT: no such card or value, or a driver without it; else the kernel's negative errno. */
int ethtool_read(struct str path, char **ret);
int ethtool_write(struct str path, struct str value);
