#include "call/scanner.h"

static const struct str names[] = {
	STR_INIT("friendly-scanner"),
	STR_INIT("sipvicious"),
	STR_INIT("sundayddr"),
	STR_INIT("sip-scan"),
	STR_INIT("sipsak"),
	STR_INIT("sipcli"),
	STR_INIT("iWar"),
	STR_INIT("VaxSIPUserAgent"),
	STR_INIT("pplsip"),
	STR_INIT("smap "),
	STR_INIT("sipptk"),
	STR_INIT("SIPScan"),
};

bool scanner_find(struct str raw, struct str *ret_agent)
{
	ptrdiff_t at = str_ifind(raw, STR("\nUser-Agent:"));
	struct str rest, line;

	if (at < 0)
		return false;
	rest = str_skip(raw, (size_t)at + STR("\nUser-Agent:").n);
	if (!str_line(&rest, &line))
		return false;
	line = str_trim(line);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_ifind(line, names[i]) >= 0) {
			*ret_agent = line;
			return true;
		}
	}
	return false;
}
