/* conf: what tandem.conf says to the firewall: ports, and who must never be banned. */
#pragma once

#include "base/err.h"
#include "exempt.h"
#include "ruleset.h"

/*
 * The ports in *ret, and the administrators' hosts, name and time servers in e. A file that is not there
 * says what its defaults say. True in *ret_changed if e is other than before. 0; -EINVAL with *err: nothing
 * has changed; -ENOMEM.
 */
int conf_read(const char *path, struct openings *ret, struct exempt *e, bool *ret_changed,
	      struct err *err);
