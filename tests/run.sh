#!/bin/bash
# All tests, stage after stage. A failing stage shows what failed and the next one runs all the same;
# the last line is the sum: N passed, N failed.
#   tests/run.sh [--all | STAGE...]
set -euo pipefail
cd "$(dirname "$0")/.."

O=${O:-build}
STAGES=(lint unit asan tsan replay sip-1 sip-asan net tui image boot)
# For the night: gcc's analyser; the calls again with other numbers of workers and under the thread sanitizer; what of the
# image in QEMU takes long where the processor is emulated. docs/testing.md says when they were last run.
NIGHT=(analyze sip-3 sip-tsan sip-el7 races vm vm-night)
MAKE=(make -k -j"$(nproc)" --output-sync=target "O=$O")
SUITE_SECONDS=1200
VM_SECONDS=1500
VM_NIGHT_SECONDS=14400
# Of tests/vm: the stage image has those that boot nothing, boot one machine by its boot loader and one that is set up and carries
# a call; vm the rest of what that one is good for, a boot by UEFI, and a root that was changed.
VM_FILES=image.,sbom.,hardware.,bundle.,rpm.
VM_BOOT=kernel.,call.,console.,boot.bios
VM_DAY=audit.,scan.,ban.,reboot.,boot.uefi,boot.a_byte
# What cmocka and tests/unit/oom.c say at the end of a group.
PASSED='^\[  PASSED  \] ([0-9]+) test.*|^\[   OOM    \].* ([0-9]+) passed.*'
FAILED='^\[  FAILED  \] ([0-9]+) test.*|^\[   OOM    \].* ([0-9]+) failed$'

has_image=false # made by an earlier stage of this run
passed=0        # of the stage
failed=0
all_passed=0
all_failed=0

# The last "NAME: N passed, N failed" of a log; nothing where there is none.
count_line() {
	local words
	read -r -a words < <(grep -E "^$1: [0-9]+ passed, [0-9]+ failed$" "$2" | tail -n 1) || return 0
	passed=$((passed + words[1]))
	failed=$((failed + words[3]))
}

# Sum of the numbers that the pattern's groups find in the file.
numbers() {
	sed -nE "s/$1/\\1\\2/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

# One test program. A program that did not build, crashed or hung counts as one failure. (make -q would
# not do: it takes generated files for old that the generator left as they were.)
count_program() {
	local stamp=$1 log=${1%.ok}.log up_to_date=$2
	if ! $up_to_date && ! make "V=$3" "O=$O" "$stamp" >/dev/null 2>&1; then
		local n=0
		if [ -f "$log" ]; then
			n=$(numbers "$FAILED" "$log")
		fi
		failed=$((failed + (n > 0 ? n : 1)))
	fi
	if [ -f "$log" ]; then
		passed=$((passed + $(numbers "$PASSED" "$log")))
	fi
}

# V, then the sources of the unit tests to run; programs are built in the same breath.
unit() {
	local v=$1 good=true source stamps=()
	shift
	for source in "$@"; do
		stamps+=("$O/$v/${source%.c}.ok")
	done
	tests/progress.sh "$v" "${MAKE[@]}" "V=$v" all "${stamps[@]}" || good=false
	for source in "${stamps[@]}"; do
		count_program "$source" "$good" "$v"
	done
	if $good && make "V=$v" "O=$O" all | grep -E '^  (CC|LINK)'; then
		echo "$v: make would build anew what it has just built"
		failed=$((failed + 1))
		good=false
	fi
	$good
}

# Only tests that start threads can show the thread sanitizer anything.
threaded() {
	grep -lE 'pthread_create|thrd_create' tests/unit/*/test_*.c || true
}

replay() {
	local target good=true
	tests/progress.sh replay "${MAKE[@]}" V=fuzz replay || good=false
	for target in tests/fuzz/fuzz_*.c; do
		if $good || make V=fuzz "O=$O" "$O/fuzz/${target%.c}.ok" >/dev/null 2>&1; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	$good
}

# A suite of Python below tests/: its folder, V, the bin folder, more options.
suite() {
	local name=$1 v=$2 bin=$3 log=$O/$1-$2.log good=true
	shift 3
	tests/progress.sh "$v" "${MAKE[@]}" "V=$v" all || return 1
	PYTHONUNBUFFERED=1 timeout -k 10 "$SUITE_SECONDS" "tests/$name/run.py" --bin "$bin" "$@" 2>&1 |
		tee "$log" || good=false
	count_line "$name" "$log"
	$good
}

# Tests of the image within so many seconds, with options that choose among them; as root, for their network namespaces.
vm() {
	local within=$1 log=$O/vm.log good=true root=()
	if [ "$(id -u)" -ne 0 ]; then
		root=(sudo)
	fi
	shift
	tests/progress.sh release "${MAKE[@]}" V=release all || return 1
	if ! $has_image; then
		python3 firmware/build.py --out "$O/image" --bin "$O/bin" || return 1
		has_image=true
	fi
	"${root[@]}" timeout -k 30 "$within" /usr/bin/python3 -u tests/vm/run.py --image "$O/image" "$@" 2>&1 |
		tee "$log" || good=false
	count_line vm "$log"
	$good
}


# The package for CentOS 7 as it would run there: its own C library, no newer system call. It goes into /usr/lib/tandem.
el7() {
	tests/progress.sh release "${MAKE[@]}" V=release all || return 1
	python3 tests/vm/test_rpm.py "$O/el7/bin" || return 1
	suite sip release "$O/el7/bin" --workers 2
}

lint() {
	local log=$O/lint.log good=true
	mkdir -p "$O"
	tests/lint/run.sh "$@" 2>&1 | tee "$log" || good=false
	count_line lint "$log"
	$good
}

run() {
	local tests=(tests/unit/*/test_*.c) threads
	case $1 in
	lint) lint ;;
	analyze) lint analyze ;;
	unit) unit release "${tests[@]}" ;;
	asan) unit asan "${tests[@]}" ;;
	tsan)
		mapfile -t threads < <(threaded)
		unit tsan "${threads[@]}"
		;;
	replay) replay ;;
	sip-1) suite sip release "$O/bin" --workers 1 ;;
	sip-3) suite sip release "$O/bin" --workers 3 ;;
	sip-asan) suite sip asan "$O/asan/bin" --workers 2 ;;
	sip-tsan) suite sip tsan "$O/tsan/bin" --workers 4 ;;
	# 10,000 calls on little money over three workers, which are killed some forty times.
	races) suite sip release "$O/bin" --workers 3 --long --jobs 1 -k bound.small_balances ;;
	net) suite net release "$O/bin" ;;
	tui) suite tui asan "$O/asan/bin" ;;
	image) vm "$VM_SECONDS" -k "$VM_FILES" ;;
	sip-el7) el7 ;;
	boot) vm "$VM_SECONDS" -k "$VM_BOOT" ;;
	vm) vm "$VM_SECONDS" -k "$VM_DAY" ;;
	vm-night) vm "$VM_NIGHT_SECONDS" --but "$VM_BOOT,$VM_DAY,$VM_FILES" ;;
	*)
		echo "$1: no such stage"
		return 1
		;;
	esac
}

stage() {
	local start=$SECONDS good=true
	passed=0
	failed=0
	echo "--- $1"
	run "$1" || good=false
	if ! $good && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	echo "--- $1: $passed of $((passed + failed)) passed ($((SECONDS - start)) s)"
	all_passed=$((all_passed + passed))
	all_failed=$((all_failed + failed))
}

if [ "${1:-}" = --stages ]; then
	echo "${STAGES[*]}"
	exit
fi
shopt -s nullglob
if [ $# -eq 0 ]; then
	set -- "${STAGES[@]}"
elif [ "$1" = --all ]; then
	set -- "${STAGES[@]}" "${NIGHT[@]}"
fi
for name in "$@"; do
	stage "$name"
done
echo "--- in $SECONDS s"
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ]
