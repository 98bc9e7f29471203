#include "pages.h"

#include <stddef.h>

const struct page pages[] = {
	{ 'c', "Calls in progress", "Who talks to whom; hang up", calls_page },
	{ 'd', "Call records", "CDRs: find, show, explain", cdrs_page },
	{ 'e', "Explain a route", "What a call would get, step by step", route_page },
	{ 'x', "Calls that failed", "By reason, vendor, customer, area, hour", analysis_page },
	{ 'a', "Accounts", "Customers and vendors: money, limits, locks", accounts_page },
	{ 'p', "Payments", "What was booked, newest first", payments_page },
	{ 'm', "Mapping gateways", "Where customers' calls come from", customers_page },
	{ 'v', "Routing gateways", "Vendors: where calls go to", vendors_page },
	{ 'g', "Gateway groups", "Who may use which vendors; reserved lines", groups_page },
	{ 'h', "Time plans", "When vendors take calls", plans_page },
	{ 's', "Gateway status", "Lines and calls a second, now", gateways_page },
	{ 'f', "Phones", "Numbers of ours that register and call", phones_page },
	{ 'n', "Numbers", "Number lists, transforms, areas, white list", numbers_page },
	{ 'z', "Blacklist", "Numbers that are kept out for a while", blacklist_page },
	{ 'j', "Spend rules", "Limits of money and calls; security profiles", spend_page },
	{ 't', "Rates", "Rate groups and their prices; packages", rates_page },
	{ 'o', "Parameters", "How the switch behaves", params_page },
	{ 'b', "Bans", "Addresses that are kept out", bans_page },
	{ 'w', "Alarms", "What is wrong now", alarms_page },
	{ 'l', "Log of changes", "Who changed what, and when", log_page },
	{ 'r', "Reports", "Revenue, gateways, vendors, balances, statements", reports_page },
	{ 'u', "Backups", "Make, prove, put back", backups_page },
	{ '1', "Updates, restart", "The machine's two slots; back; restart", updates_page },
	{ '2', "Network, ports", "Addresses, SSH, firewall of the machine", machine_page },
	{ 'k', "Check the books", "Prove every balance and charge", books_page },
	{ 'y', "Activate a licence", "Takes the text of a licence file", licence_page },
	{ 'i', "About, licence", "Version, licence, this machine", about_page },
	{ 0, NULL, NULL, NULL },
};
