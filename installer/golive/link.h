/* link: a pair of joined network interfaces, made and set up through rtnetlink. Needs root. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* `here` in our namespace, `there` in that of the process. 0 or negative errno. */
int link_make_pair(const char *here, const char *there, pid_t process);
/* In the namespace of the caller: gives an IPv4 address and sets the interface up. */
int link_set_up(const char *name, uint32_t address, int prefix_len);
/* An IPv4 address of one host; one that is there already is no error, nor is one that is not. */
int link_add_address(const char *name, uint32_t address);
int link_del_address(const char *name, uint32_t address);
int link_add_default_route(uint32_t gateway);
/* Waits until it can carry packets: both ends of the pair are up. 0 or negative errno. */
int link_wait(const char *name, int64_t ms);
