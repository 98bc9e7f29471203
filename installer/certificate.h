/* certificate: the one that the switch shows until the operator brings another, signed by itself. */
#pragma once

#include "base/err.h"
#include "setup.h"

#define CERTIFICATE_PATH "/etc/tandem/tls/switch.crt"
#define CERTIFICATE_KEY  "/etc/tandem/tls/switch.key"

/*
 * Makes key and certificate, for the machine's name and addresses, if SIP by TLS is asked for and
 * there is no certificate. Who may read the key is its folder's group. 0 or negative errno with *err.
 */
int certificate_make(const struct setup *s, struct err *err);
