#include "model/reason.h"

#include <stdlib.h>

struct sip_phrase {
	int code;
	const char *phrase;
};

#include "reasons.inc"
#include "sip_phrases.inc" /* sorted by code */

const char *reason_name(enum reason r)
{
	return reason_infos[r].name;
}

int reason_sip_code(enum reason r)
{
	return reason_infos[r].sip_code;
}

enum reason reason_find(struct str name)
{
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		if (str_eq(name, str_of(reason_infos[r].name)))
			return (enum reason)r;
	}
	return REASON_NONE;
}

static int compare_code(const void *key, const void *item)
{
	const int *code = key;
	const struct sip_phrase *p = item;

	return *code - p->code;
}

const char *sip_phrase(int code)
{
	static const char *const hundreds[] = { "Progress",     "Success",      "Redirection",
						"Client Error", "Server Error", "Global Failure" };
	const struct sip_phrase *p =
		bsearch(&code, sip_phrases, sizeof(sip_phrases) / sizeof(sip_phrases[0]),
			sizeof(sip_phrases[0]), compare_code);

	if (p)
		return p->phrase;
	return code >= 100 && code < 700 ? hundreds[code / 100 - 1] : "Unknown";
}
