#include "route/retry.h"

enum { CODE_MIN = 300, CODE_MAX = 699, CODE_DIGITS = 3, REFUSED = 503 };

/* behaviour.md: `vos` and `carrier`, in the form of stop_codes. */
static const char *const presets[] = {
	[ROUTING_GATEWAY_SWITCH_PRESET_VOS] = "4xx",
	[ROUTING_GATEWAY_SWITCH_PRESET_CARRIER] = "404,410,484,485,486,487,600,604,607,608",
};

/* A range of codes: "486" is one, "4xx" a hundred. False if it is neither. */
static bool read_codes(struct str item, int *ret_from, int *ret_to)
{
	bool is_class = item.n == CODE_DIGITS && str_ieq(str_skip(item, 1), STR("xx"));
	struct str digits = is_class ? str_head(item, 1) : item;
	uint32_t n;

	if (item.n != CODE_DIGITS || str_to_u32(digits, CODE_MAX, &n) < 0)
		return false;

	int from = is_class ? (int)n * 100 : (int)n;
	if (from < CODE_MIN || from > CODE_MAX)
		return false;
	*ret_from = from;
	*ret_to = is_class ? from + 99 : from;
	return true;
}

static bool is_listed(struct str list, int code)
{
	struct str item;
	int from, to;

	while (str_split(&list, ',', &item))
		if (read_codes(item, &from, &to) && code >= from && code <= to)
			return true;
	return false;
}

int retry_check_codes(struct str list, const char *field, struct err *err)
{
	struct str item;
	int from, to;

	while (str_split(&list, ',', &item))
		if (!read_codes(item, &from, &to))
			return err_set(err, ERR_BAD_VALUE, field, item,
				       "codes from 300 to 699, or 3xx, 4xx, 5xx, 6xx",
				       "not a SIP code that a vendor refuses with");
	return 0;
}

/* The gateway's own word, or the system's. */
static bool stops(int64_t own, bool system)
{
	return own == ROUTING_GATEWAY_STOP_AFTER_BUSY_SYSTEM
		       ? system
		       : own == ROUTING_GATEWAY_STOP_AFTER_BUSY_ON;
}

_Static_assert((int)ROUTING_GATEWAY_STOP_AFTER_BUSY_ON == (int)ROUTING_GATEWAY_STOP_AFTER_SDP_ON &&
		       (int)ROUTING_GATEWAY_STOP_AFTER_BUSY_ON ==
			       (int)ROUTING_GATEWAY_STOP_AFTER_RTP_ON,
	       "three fields with the same three words");

static bool stage_allows(const struct routing_gateway_row *gw, const struct retry_rules *rules,
			 const struct retry_case *what)
{
	int64_t until = gw->switch_until_connect;

	if (until == ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_SYSTEM)
		until = rules->until_connect ? ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_UNTIL_CONNECT
					     : ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_UNTIL_RINGING;
	if (until == ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_OFF)
		return false;
	if (until == ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_UNTIL_RINGING)
		return what->stage == TRY_SENT;
	/* The caller's SDP answer stands: without a relay the next vendor could not be heard. */
	if (what->stage == TRY_EARLY_MEDIA)
		return what->relayed && !stops(gw->stop_after_sdp, rules->stop_after_sdp) &&
		       !(what->had_rtp && stops(gw->stop_after_rtp, rules->stop_after_rtp));
	return what->stage != TRY_ANSWERED;
}

static bool is_busy(int code)
{
	return code == 486 || code == 600;
}

bool retry_goes_on(const struct routing_gateway_row *gw, const struct retry_rules *rules,
		   const struct retry_case *what)
{
	struct str list = str_of(gw->stop_codes);
	bool has_own = !str_is_empty(list);
	bool is_said = gw->stop_after_busy != ROUTING_GATEWAY_STOP_AFTER_BUSY_SYSTEM;

	if (!stage_allows(gw, rules, what))
		return false;
	if (what->is_local)
		return !(what->is_silent && gw->registration && rules->stop_after_silence);
	if (what->code >= CODE_MIN && is_listed(str_of(gw->continue_codes), what->code))
		return true;
	/* A list of the gateway's own says everything, unless the gateway itself says this too. */
	if (is_busy(what->code) && (is_said || !has_own)) {
		if (stops(gw->stop_after_busy, rules->stop_after_busy))
			return false;
		if (!has_own)
			return true;
	}
	if (!has_own)
		list = str_of(presets[gw->switch_preset]);
	return what->code >= CODE_MIN && !is_listed(list, what->code);
}

/* Verdicts on the called party, the best first. */
static const int verdicts[] = { 486, 600, 404, 410, 484, 480 };

enum { VERDICTS = sizeof(verdicts) / sizeof(verdicts[0]) };

/* Its place among the verdicts; behind them all if it is none. */
static int place(int code)
{
	int i = 0;

	while (i < VERDICTS && verdicts[i] != code)
		i++;
	return i;
}

/* What is between us and the vendor (credentials, redirection) is no business of a caller. */
static int fit_for_caller(int code)
{
	bool is_private = code == 401 || code == 402 || code == 403 || code == 407;

	return is_private || code < 400 || code > CODE_MAX ? REFUSED : code;
}

void verdict_add(struct verdict *v, int code)
{
	if (place(code) < place(v->best))
		v->best = code;
	v->last = fit_for_caller(code);
}

int verdict_code(const struct verdict *v)
{
	return v->best ? v->best : v->last;
}
