/* An ifcfg file: what is accepted becomes a unit of which no line is the file's own invention. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "formats/ifcfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_known(struct str line)
{
	static const struct str HEADS[] = {
		STR_INIT("[Match]"),       STR_INIT("[Link]"),     STR_INIT("[Network]"),
		STR_INIT("Name="),         STR_INIT("MAC"),        STR_INIT("MTUBytes="),
		STR_INIT("Address="),      STR_INIT("Gateway="),   STR_INIT("DNS="),
		STR_INIT("Domains="),      STR_INIT("DHCP="),      STR_INIT("LinkLocalAddressing="),
		STR_INIT("IPv6AcceptRA="), STR_INIT("IPForward="), STR_INIT("LLMNR="),
		STR_INIT("MulticastDNS="),
	};

	for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++)
		if (str_has_prefix(line, HEADS[i]))
			return true;
	return str_is_empty(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf unit = BUF_INIT;
	struct err err = ERR_INIT;
	struct str rest, line;
	struct ifcfg c;

	if (ifcfg_parse(&c, str_n(data, size), &err) < 0) {
		assert(err_is_set(&err));
		return 0;
	}
	ifcfg_print(&c, &unit);
	rest = buf_str(&unit);
	while (str_line(&rest, &line)) {
		assert(is_known(line));
		assert(!str_has_control(line));
	}
	return 0;
}
