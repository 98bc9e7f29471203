#!/bin/bash
# Each fuzz target for a while, two at a time. What is new stays in build/fuzz/found/: inputs in a
# folder a target, crashes beside it. A crash is to become a corpus file and a named unit test.
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     fuzz
#   tests/fuzz/run.sh --merge                   add to the corpus what reaches new code, minimised
set -euo pipefail
cd "$(dirname "$0")/../.."

O=${O:-build}
found=$O/fuzz/found

# Runs one target; prints one line, and the end of the log when it crashed.
one() {
	local name=$1 seconds=$2 log=$found/$1.log r=0 runs
	mkdir -p "$found/$name" "tests/fuzz/corpus/$name"
	"$O/fuzz/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$found/$name-" \
		"$found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || r=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$r" -eq 0 ]; then
		echo "ok      $name: ${runs:-?} executions in $seconds s"
	else
		tail -n 60 "$log"
		echo "FAILED  $name after ${runs:-?} executions: $log, $found/$name-*"
	fi
	return "$r"
}

targets() {
	find tests/fuzz -maxdepth 1 -name 'fuzz_*.c' -printf '%f\n' | sed 's/\.c$//' | sort
}

merge() {
	local name
	for name in $(targets); do
		mkdir -p "$found/$name" "tests/fuzz/corpus/$name"
		"$O/fuzz/tests/fuzz/$name" -merge=1 "tests/fuzz/corpus/$name" "$found/$name" 2>&1 |
			grep -E '^MERGE-OUTER: [0-9]+ new' | sed "s/^MERGE-OUTER/$name/"
	done
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3"
	exit
fi
tests/progress.sh "build fuzz" make -j"$(nproc)" --output-sync=target "O=$O" V=fuzz fuzzers
if [ "${1:-}" = --merge ]; then
	merge
	exit
fi
seconds=${1:-600}
shift || true
if [ $# -eq 0 ]; then
	mapfile -t all < <(targets)
	set -- "${all[@]}"
fi
echo "fuzzing $# targets for $seconds s each, two at a time"
export O
printf '%s\n' "$@" | xargs -r -P 2 -I{} tests/fuzz/run.sh --one {} "$seconds"
