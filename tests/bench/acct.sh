#!/bin/bash
# acct.sh cpu PID   CPU seconds (user and system) that the process and its children have used so far
# acct.sh rss PID   their resident and their proportional memory in KiB: "rss pss"
set -uo pipefail

# The process and its descendants, one a line.
tree() {
	local child
	echo "$1"
	cat "/proc/$1/task/"*"/children" 2>/dev/null | tr ' ' '\n' | while read -r child; do
		if [ -n "$child" ]; then tree "$child"; fi
	done
}

ticks() {
	local pid
	tree "$1" | while read -r pid; do
		# behind the name, which may hold blanks: state is field 1, utime and stime 12 and 13
		sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | awk '{ print $12 + $13 }'
	done
}

case ${1:-} in
cpu)
	ticks "$2" | awk -v hz="$(getconf CLK_TCK)" '{ t += $1 } END { printf "%.2f\n", t / hz }'
	;;
rss)
	tree "$2" | while read -r pid; do cat "/proc/$pid/smaps_rollup" 2>/dev/null; done |
		awk '/^Rss:/ { r += $2 } /^Pss:/ { p += $2 } END { print r + 0, p + 0 }'
	;;
*)
	sed -n '2,3s/^# //p' "$0" >&2
	exit 2
	;;
esac
