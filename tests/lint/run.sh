#!/bin/bash
# Every check of the source, one line each; what a failing one found stands above its line.
#   tests/lint/run.sh [CHECK...]
set -euo pipefail
cd "$(dirname "$0")/../.."

JOBS=$(nproc)
passed=0
failed=0

sources() {
	find lib switchd installer hardening kernel-tuning firmware tests -name '*.[ch]' -not -path '*/build/*' 2>/dev/null || true
}

scripts() {
	{ grep -rlE --exclude-dir=.git --exclude-dir=build '^#!.*\b(ba)?sh$' . || true; } |
		xargs -r awk 'FNR == 1 { if (/^#!.*sh$/) print FILENAME; nextfile }'
}

# Says which files, not every line of them: clang-format -i FILE mends it.
format() {
	local badly
	badly=$(sources | xargs -r -n 8 -P "$JOBS" clang-format --dry-run 2>&1 |
		sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: warning.*/\1: clang-format -i/p' | sort -u)
	if [ -n "$badly" ]; then
		echo "$badly"
		return 1
	fi
}

shell() {
	scripts | xargs -r shellcheck
}

python() {
	local files
	files=$(find . -name '*.py' -not -path './build*'; grep -rlE '^#!.*\bpython3$' --exclude-dir=build --exclude-dir=.git . || true)
	if [ -n "$files" ]; then
		sort -u <<<"$files" | xargs -r pyflakes3
	fi
}

by_file() {
	make -k -j"$JOBS" --output-sync=target -f tests/lint/files.mk "$1" | grep -v '^  [A-Z]* *[^ ]*$'
	return "${PIPESTATUS[0]}"
}

check() {
	local name=$1 start=$SECONDS
	case $name in
	tidy | analyze | headers) set -- by_file "$name" ;;
	format | shell | python) set -- "$name" ;;
	*) set -- "tests/lint/$name" ;;
	esac
	if "$@" 2>&1; then
		passed=$((passed + 1))
		echo "ok      $name ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		echo "FAILED  $name ($((SECONDS - start)) s)"
	fi
}

# gcc's analyser takes three minutes and finds little that clang's does not: for the night.
if [ $# -eq 0 ]; then
	set -- layers sizes bans params verified paths docs format shell python headers tidy
fi
for name in "$@"; do
	check "$name"
done
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
