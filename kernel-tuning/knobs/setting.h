/*
 * setting: the kernel settings that a switch wants (lib/model/sysctls.tsv), each with its reason.
 *
 * A key is that of sysctl(8). One of its words may be `*`: every folder there, which are network
 * interfaces. The value @media stands for the ports of the media relay, @uplinks for what rp_filter has
 * to be (uplinks.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SETTING_MEDIA   "@media"
#define SETTING_UPLINKS "@uplinks"

struct setting {
	const char *key;
	bool is_least; /* a number that is higher is right, too */
	const char *value;
	const char *why;
	const char *source; /* who asks for it */
};

extern const struct setting settings[];
extern const size_t settings_count;
