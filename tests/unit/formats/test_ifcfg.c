#include "formats/ifcfg.h"

#include <errno.h>

#include "../base/unit.h"
#include "base/cleanup.h"
#include "oom.h"

/* The unit of networkd that the file becomes. */
static void assert_unit(const char *text, const char *unit)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct ifcfg c;

	assert_int_equal(ifcfg_parse(&c, str_of(text), &err), 0);
	ifcfg_print(&c, &out);
	assert_string_equal(buf_cstr(&out), unit);
}

#define TAIL "IPForward=no\nLLMNR=no\nMulticastDNS=no\n"
#define NO6  "LinkLocalAddressing=no\nIPv6AcceptRA=no\n" TAIL

static void a_fixed_address(void **state)
{
	(void)state;
	assert_unit("# eth\nDEVICE=ens3\nTYPE=Ethernet\nONBOOT=yes\nBOOTPROTO=none\n"
		    "IPADDR=198.51.100.2\nPREFIX=24\nGATEWAY=198.51.100.1\nIPV6INIT=no\n"
		    "DNS1=198.51.100.53\nDNS2=2001:db8::53\nDOMAIN=\"example.com example.net\"\n",
		    "[Match]\nName=ens3\n\n[Network]\nAddress=198.51.100.2/24\n"
		    "Gateway=198.51.100.1\nDNS=198.51.100.53\nDNS=2001:db8::53\n"
		    "Domains=example.com example.net\nDHCP=no\n" NO6);
}

static void an_address_by_dhcp(void **state)
{
	(void)state;
	assert_unit("HWADDR=52:54:00:12:34:56\nBOOTPROTO=\"dhcp\"\nMTU=1400\n",
		    "[Match]\nMACAddress=52:54:00:12:34:56\n\n[Link]\nMTUBytes=1400\n\n[Network]\n"
		    "DHCP=ipv4\n" NO6);
}

static void several_addresses_and_a_netmask(void **state)
{
	(void)state;
	assert_unit(
		"DEVICE=eth0\r\nIPADDR0=192.0.2.1\r\nNETMASK0=255.255.255.192\r\n"
		"IPADDR1=192.0.2.129\r\nPREFIX1=32\r\n",
		"[Match]\nName=eth0\n\n[Network]\nAddress=192.0.2.1/26\nAddress=192.0.2.129/32\n"
		"DHCP=no\n" NO6);
}

static void addresses_of_ipv6(void **state)
{
	(void)state;
	assert_unit("DEVICE=eth0\nIPV6INIT=yes\nIPV6_AUTOCONF=no\nIPV6ADDR=2001:db8::2/64\n"
		    "IPV6ADDR_SECONDARIES='2001:db8::3/64 2001:db8::4/64'\n"
		    "IPV6_DEFAULTGW=fe80::1%eth0\n",
		    "[Match]\nName=eth0\n\n[Network]\nAddress=2001:db8::2/64\n"
		    "Address=2001:db8::3/64\nAddress=2001:db8::4/64\nGateway=fe80::1\nDHCP=no\n"
		    "LinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n" TAIL);
	assert_unit("DEVICE=eth0\nIPV6INIT=yes\nIPV6_AUTOCONF=yes\n",
		    "[Match]\nName=eth0\n\n[Network]\nDHCP=no\n"
		    "LinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n" TAIL);
}

static void onboot_is_kept(void **state)
{
	struct ifcfg c;

	(void)state;
	assert_int_equal(ifcfg_parse(&c, STR("DEVICE=a\nONBOOT=no"), NULL), 0);
	assert_false(c.is_on);
	assert_int_equal(ifcfg_parse(&c, STR("DEVICE=a\n"), NULL), 0);
	assert_true(c.is_on);
}

static void a_mistake_is_told_with_its_key(void **state)
{
	static const struct {
		const char *text, *field;
	} row[] = {
		{ "", "DEVICE" },
		{ "ONBOOT=yes", "DEVICE" },
		{ "DEVICE=a b", "DEVICE" },
		{ "DEVICE=../x", "DEVICE" },
		{ "DEVICE=an-interface-too-long", "DEVICE" },
		{ "HWADDR=52:54:00:12:34", "HWADDR" },
		{ "DEVICE=a\nONBOOT=maybe", "ONBOOT" },
		{ "DEVICE=a\nBOOTPROTO=bootp", "BOOTPROTO" },
		{ "DEVICE=a\nMTU=70000", "MTU" },
		{ "DEVICE=a\nIPADDR=192.0.2.1", "PREFIX" },
		{ "DEVICE=a\nIPADDR=192.0.2.1:80\nPREFIX=24", "IPADDR" },
		{ "DEVICE=a\nIPADDR=2001:db8::1\nPREFIX=24", "IPADDR" },
		{ "DEVICE=a\nIPADDR=192.0.2.1\nPREFIX=33", "PREFIX" },
		{ "DEVICE=a\nIPADDR=192.0.2.1\nNETMASK=255.0.255.0", "NETMASK" },
		{ "DEVICE=a\nGATEWAY=example.com", "GATEWAY" },
		{ "DEVICE=a\nDNS4=192.0.2.1", "DNS4" },
		{ "DEVICE=a\nDNS=192.0.2.1", "DNS" },
		{ "DEVICE=a\nDOMAIN=a;b", "DOMAIN" },
		{ "DEVICE=a\nIPV6ADDR=2001:db8::1", "IPV6ADDR" },
		{ "DEVICE=a\nIPV6ADDR=2001:db8::1/129", "IPV6ADDR" },
		{ "DEVICE=a\nIPV6ADDR_SECONDARIES=x/64", "IPV6ADDR_SECONDARIES" },
		{ "DEVICE=a\nIPV6_DEFAULTGW=192.0.2.1", "IPV6_DEFAULTGW" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct err err = ERR_INIT;
		struct ifcfg c;

		assert_int_equal(ifcfg_parse(&c, str_of(row[i].text), &err), -EINVAL);
		assert_string_equal(err.field, row[i].field);
		assert_true(err.accepted[0] != '\0');
	}
}

static void a_line_without_a_value_is_refused(void **state)
{
	struct err err = ERR_INIT;
	struct ifcfg c;

	(void)state;
	assert_int_equal(ifcfg_parse(&c, STR("DEVICE=a\nnonsense"), &err), -EINVAL);
	assert_int_equal(err.code, ERR_SYNTAX);
	assert_string_equal(err.given, "nonsense");
}

/* Nothing that is in a file can begin a line of its own in the unit. */
static void no_line_can_be_smuggled_in(void **state)
{
	struct ifcfg c;

	(void)state;
	assert_int_equal(ifcfg_parse(&c, STR("DEVICE=a\rb"), NULL), -EINVAL);
	assert_int_equal(ifcfg_parse(&c,
				     STR("DEVICE=a\nDOMAIN='a\x0b"
					 "b'"),
				     NULL),
			 -EINVAL);
}

static void a_file_becomes_a_unit(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct ifcfg c;

	assert_int_equal(ifcfg_parse(&c, STR("DEVICE=a\nBOOTPROTO=dhcp"), NULL), 0);
	ifcfg_print(&c, &out);
	(void)oom_refused(buf_error(&out));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_file_becomes_a_unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_address),
		cmocka_unit_test(an_address_by_dhcp),
		cmocka_unit_test(several_addresses_and_a_netmask),
		cmocka_unit_test(addresses_of_ipv6),
		cmocka_unit_test(onboot_is_kept),
		cmocka_unit_test(a_mistake_is_told_with_its_key),
		cmocka_unit_test(a_line_without_a_value_is_refused),
		cmocka_unit_test(no_line_can_be_smuggled_in),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
