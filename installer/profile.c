#include "profile.h"

/* Where the preset table gives a range, the more careful end. */
static const struct profile profiles[] = {
	{ "wholesale-termination", "Wholesale termination", "4", "50", "3", "0" },
	{ "wholesale-origination", "Wholesale origination", "4", "50", "5", "0" },
	{ "calling-card", "Prepaid calling cards", "3", "50", "5", "3" },
	{ "sip-trunk", "Retail SIP trunks", "3", "50", "0", "0" },
	{ "pbx", "Enterprise PBX, postpaid", "2", "50", "0", "0" },
};

const struct profile *profile_find(struct str name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (str_eq(name, str_of(profiles[i].name)))
			return &profiles[i];
	}
	return NULL;
}

void profile_put_commands(const struct profile *p, struct buf *out)
{
	buf_printf(out,
		   "parameter set SERVER_BILLING_FEE_PRECISION %s\n"
		   "parameter set SERVER_BILLING_HOLD_TIME_PRECISION %s\n"
		   "parameter set SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME %s\n"
		   "parameter set SERVER_BILLING_FREE_TIME %s\n",
		   p->fee_precision, p->hold_precision_ms, p->advance_min, p->free_s);
}

void profile_describe(const struct profile *p, struct buf *out)
{
	buf_printf(
		out,
		"%s: fees to %s decimals, a rest of %s ms counts as a second, %s min of talk must "
		"be affordable, %s s free",
		p->title, p->fee_precision, p->hold_precision_ms, p->advance_min, p->free_s);
}
