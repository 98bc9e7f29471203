#!/bin/bash
# Runs a command and lets through what matters: errors, failures, warnings. What make says of each
# file is counted, and the count shown every few seconds with the time passed.
#   tests/progress.sh NAME COMMAND...
set -euo pipefail

EVERY=10
name=$1
shift
declare -A count=()
start=$SECONDS
shown=$SECONDS

say() {
	local what text=
	for what in "${!count[@]}"; do
		text+=", ${count[$what]} $what"
	done
	echo "[$((SECONDS - start)) s] $name${text/,/:}"
	shown=$SECONDS
}

tally() {
	count[$1]=$((${count[$1]:-0} + 1))
}

filter() {
	local line
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"  CC  "*) tally compiled ;;
		"  LINK  "*) tally linked ;;
		"  OK  "*) tally "tests ok" ;;
		"make: Nothing to be done"*) ;;
		*) printf '%s\n' "$line" ;;
		esac
		if [ $((SECONDS - shown)) -ge "$EVERY" ]; then
			say
		fi
	done
	say
}

"$@" 2>&1 | filter
