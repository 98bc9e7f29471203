# shellcheck shell=bash
# What the benches of the whole switch begin with: where things are, a folder for the run, and an end that stops what was started.
# Sourced after `cd` to the top of the tree; processes go into PIDS.

# shellcheck disable=SC2034 # for those who source this
BIN=$(realpath "${O:-build}/bin") HERE=$PWD/tests/bench
W=$(mktemp -d)
PIDS=()

cleanup() {
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$W"
}
trap cleanup EXIT

# PORT DATA CONTROL LOG: a switchd whose limits are out of the way, started and ready; its PID is the last of PIDS. PIN is
# what stands before it.
switchd_up() {
	"${PIN[@]}" "$BIN/switchd" --data "$2" --control "$3" --workers 1 --listen "udp:127.0.0.1:$1" \
		--media 127.0.0.1 --media-ports 20000-59999 --set SS_MAX_CALL_PER_SECOND=20000 \
		--set SS_MAX_CONCURRENT_CALL=50000 2>>"$4" &
	PIDS+=($!)
	until "$BIN/switchctl" -s "$3" status >/dev/null 2>&1; do
		kill -0 "${PIDS[-1]}" || { cat "$4" && exit 1; }
		sleep 0.05
	done
}
