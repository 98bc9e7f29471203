#!/bin/bash
# Rates at scale in the whole switch, with calls going on meanwhile: sheets of many vendors loaded, one group of a million replaced, a restart
# on all of them.
#
#   tests/bench/rates.sh [VENDORS [RATES_EACH]]     after `make V=release`; 200 and 5000 if not given
#
# Figures and what they mean: docs/developer.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

VENDORS=${1:-200} EACH=${2:-5000} RATE=${RATE:-50} PORT=15073
# shellcheck disable=SC2034 # what stands before a switchd: lib.sh
PIN=()
# shellcheck source=/dev/null
. tests/bench/lib.sh

ctl() { "$BIN/switchctl" -s "$W/control.sock" "$@"; }

start() {
	PIDS=()
	switchd_up "$PORT" "$W/data" "$W/control.sock" "$W/log"
}

# FILE ROUND COUNT: prefixes of seven digits, prices of that round.
sheet() {
	awk -v n="$3" -v r="$2" 'BEGIN { print "prefix,price,unit,first,step"
		for (i = 0; i < n; i++) printf "%d,0.%04d,60,1,1\n", 1000000 + i, (i * 7 + r * 13) % 9999 + 1 }' >"$1"
}

now() { date +%s.%N; }

# TITLE COMMAND...: how long it takes, and what calls say meanwhile.
measure() {
	local title=$1 begun took
	shift
	"$W/sipblast" -c 127.0.0.1:15094 -u 127.0.0.1:15084 -p 1212555 -g 20 -t "127.0.0.1:$PORT" -r "$RATE" -n 1000000 -d 100 \
		>"$W/blast" &
	local blast=$!
	sleep 1
	begun=$(now)
	"$@" >/dev/null
	took=$(awk -v a="$begun" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }')
	sleep 1
	kill -INT "$blast"
	wait "$blast" || true
	echo "$title: $took s; calls at $RATE/s meanwhile: $(tr ' ' '\n' <"$W/blast" | grep -E '^(ok|fail|retrans|l200_p50|l200_p99|l200_max)=' | tr '\n' ' ')"
}

load_all() {
	for i in $(seq "$VENDORS"); do
		ctl rate import group="v$i" file="$W/sheet.csv" mode=replace
	done
}

cc -O2 -o "$W/sipblast" "$HERE/sipblast.c"
mkdir "$W/data"
start
ctl rate-group add name=sell >/dev/null
ctl rate-group add name=million >/dev/null
ctl rate add group=sell prefix=1 price=0.0123 unit=60 first=1 step=1 >/dev/null
ctl account add id=customer limit_money=0 rate_group=sell >/dev/null
ctl account add id=vendor kind=clearing limit_money=0 rate_group=sell >/dev/null
ctl account recharge customer amount=1000000 >/dev/null
ctl mapping-gateway add name=in account=customer address=127.0.0.1 media_relay=off >/dev/null
ctl routing-gateway add name=out account=vendor address=127.0.0.1:15084 media_relay=off options_check=false >/dev/null
for i in $(seq "$VENDORS"); do
	ctl rate-group add name="v$i" >/dev/null
	ctl account add id="a$i" kind=clearing limit_money=0 rate_group="v$i" >/dev/null
done
sheet "$W/sheet.csv" 1 "$EACH"
measure "load of $((VENDORS * EACH)) rates over $VENDORS vendors" load_all
sheet "$W/sheet.csv" 2 "$EACH"
measure "replacement of one vendor's $EACH" ctl rate import group=v1 file="$W/sheet.csv" mode=replace
sheet "$W/million.csv" 1 $((VENDORS * EACH))
measure "load of $((VENDORS * EACH)) rates of one group" ctl rate import group=million file="$W/million.csv" mode=replace
sheet "$W/million.csv" 2 $((VENDORS * EACH))
measure "replacement of $((VENDORS * EACH)) rates of one group" ctl rate import group=million file="$W/million.csv" mode=replace
kill "${PIDS[0]}"
wait "${PIDS[0]}" || true
begun=$(now)
start
awk -v a="$begun" -v b="$(now)" -v n=$((VENDORS * EACH * 2)) 'BEGIN { printf "start on %d rates in force: %.1f s\n", n, b - a }'
echo "memory: $("$HERE/acct.sh" rss "${PIDS[0]}" | awk '{ printf "%.0f MB\n", $1 / 1024 }')"
