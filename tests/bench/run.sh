#!/bin/bash
# Signalling beside Debian's kamailio (stateful proxy with dialog and accounting) on the same calls, in one
# sitting and in turn, since a machine's speed drifts: the ratio is what counts. switchd runs with
# rating, routing, holds, journal and durable CDRs on; once with the media relay and once without.
#   tests/bench/run.sh [ROUNDS]          figures and their meaning: docs/developer.md
set -euo pipefail
cd "$(dirname "$0")/../.."

ROUNDS=${1:-3} RATE=${RATE:-300} CALLS=${CALLS:-3000} HELD=${HELD:-3000}
# shellcheck disable=SC2034 # what stands before a switchd: lib.sh
PIN=(taskset -c 1)
# shellcheck source=/dev/null
. tests/bench/lib.sh
GEN=(taskset -c 0 "$W/sipblast" -c 127.0.0.1:15090 -u 127.0.0.1:15080 -p 1212555 -g 20)

ctl() { "$BIN/switchctl" -s "$W/$1.sock" "${@:2}" >/dev/null; }
field() { sed -n "s/.*\b$2=\([^ ]*\).*/\1/p" <<<" $1"; }
cpu() { "$HERE/acct.sh" cpu "$1"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# NAME PORT RELAY: a switch with a customer, a vendor and their rates.
switch_up() {
	switchd_up "$2" "$W/$1" "$W/$1.sock" "$W/$1.log"
	ctl "$1" rate-group add name=sell
	ctl "$1" rate add group=sell prefix=1 price=0.0123 unit=60 first=1 step=1
	ctl "$1" account add id=customer limit_money=0 rate_group=sell
	ctl "$1" account add id=vendor kind=clearing limit_money=0 rate_group=sell
	ctl "$1" account recharge customer amount=1000000
	ctl "$1" mapping-gateway add name=in account=customer address=127.0.0.1 media_relay="$3"
	ctl "$1" routing-gateway add name=out account=vendor address=127.0.0.1:15080 media_relay="$3"
}

kamailio_up() {
	"${PIN[@]}" kamailio -x fm -X fm -f "$HERE/kamailio.cfg" -A LISTEN=127.0.0.1:15060 \
		-A UAS=127.0.0.1:15080 -m 1024 -M 32 -DD -E >"$W/kamailio.log" 2>&1 &
	PIDS+=($!)
	sleep 2
}

# NAME PORT PID: one round; CPU seconds per 10,000 calls and the latency of the answer.
round() {
	local before after out
	before=$(cpu "$3")
	out=$("${GEN[@]}" -t "127.0.0.1:$2" -r "$RATE" -n "$CALLS" -d 100)
	after=$(cpu "$3")
	awk -v a="$before" -v b="$after" -v n="$CALLS" 'BEGIN { printf "%.2f\n", (b - a) * 10000 / n }' >>"$W/$1.cpu"
	field "$out" l200_p50 >>"$W/$1.p50"
	field "$out" l200_p99 >>"$W/$1.p99"
	echo "  $1: $(tail -n 1 "$W/$1.cpu") CPU-s/10k, ok=$(field "$out" ok) fail=$(field "$out" fail)" \
		"p50=$(field "$out" l200_p50) us p99=$(field "$out" l200_p99) us"
}

# NAME PORT: the highest rate with under 0.1 % failed and under 1 % repeated, on one core.
highest() {
	local rate=400 best=0 out calls
	while [ "$rate" -le 8000 ]; do
		out=$("${GEN[@]}" -t "127.0.0.1:$2" -r "$rate" -n $((rate * 4)) -d 100 -w 3000)
		calls=$(field "$out" calls)
		if [ $((($(field "$out" fail) + $(field "$out" hung)) * 1000)) -ge "$calls" ] ||
			[ $(($(field "$out" retrans) * 100)) -ge "$calls" ] ||
			[ $(($(field "$out" cps | cut -d. -f1) * 100)) -lt $((rate * 97)) ]; then
			break
		fi
		best=$rate
		rate=$((rate * 5 / 4))
	done
	echo "$1: highest rate $best calls/s"
}

# NAME PORT PID: memory per 10,000 held calls.
memory() {
	local before after held
	before=$("$HERE/acct.sh" rss "$3" | awk '{ print $NF }')
	"${GEN[@]}" -t "127.0.0.1:$2" -r "$RATE" -n "$HELD" -d $((HELD * 1000 / RATE + 6000)) >"$W/held" &
	held=$!
	sleep $((HELD / RATE + 4))
	after=$("$HERE/acct.sh" rss "$3" | awk '{ print $NF }')
	wait "$held"
	awk -v a="$before" -v b="$after" -v n="$HELD" -v name="$1" \
		'BEGIN { printf "%s: %.1f MiB per 10,000 held calls\n", name, (b - a) / 1024 * 10000 / n }'
}

cc -O2 -o "$W/sipblast" "$HERE/sipblast.c"
kamailio_up
K=${PIDS[-1]}
switch_up relay 15070 on
R=${PIDS[-1]}
switch_up direct 15071 off
D=${PIDS[-1]}
NAMES=(kamailio relay direct) PORTS=(15060 15070 15071) OF=("$K" "$R" "$D")
for i in 0 1 2; do # first touches of memory cost a lot
	"${GEN[@]}" -t "127.0.0.1:${PORTS[$i]}" -r "$RATE" -n 1500 -d 100 >/dev/null
done
for r in $(seq "$ROUNDS"); do
	echo "round $r of $ROUNDS at $RATE calls/s"
	for i in 0 1 2; do round "${NAMES[$i]}" "${PORTS[$i]}" "${OF[$i]}"; done
done
base=$(median <"$W/kamailio.cpu")
for i in 0 1 2; do
	c=$(median <"$W/${NAMES[$i]}.cpu")
	echo "${NAMES[$i]}: $c CPU-s per 10,000 calls ($(awk -v a="$c" -v b="$base" 'BEGIN { printf "%.2f", a / b }') of kamailio)," \
		"INVITE to 200 p50 $(median <"$W/${NAMES[$i]}.p50") us, p99 $(median <"$W/${NAMES[$i]}.p99") us"
done
if [ -z "${QUICK:-}" ]; then
	for i in 0 1 2; do highest "${NAMES[$i]}" "${PORTS[$i]}"; done
	for i in 0 1 2; do memory "${NAMES[$i]}" "${PORTS[$i]}" "${OF[$i]}"; done
fi
