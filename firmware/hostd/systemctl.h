/* systemctl: what only systemd does, asked for without waiting until it is done. */
#pragma once

/* unit: NULL for verbs without one. 0; 1: systemd refused; negative errno: it cannot be asked. */
int systemctl(const char *verb, const char *unit);
