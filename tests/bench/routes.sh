#!/bin/sh
# Routes at scale: the ordered vendors of a number, and what it takes to load their rates.
#
#   tests/bench/routes.sh [VENDORS [RATES_EACH]]     after `make V=release`; 200 and 5000 if not given
set -eu
cd "$(dirname "$0")/../.."
OBJECTS=$(find build/release/lib build/release/switchd -name '*.o' ! -name main.o ! -path '*/switchd/ctl/*' \
	! -path '*/switchd/console/*' ! -path '*/lib/tui/*')
# shellcheck disable=SC2086 # a list of files
gcc -std=gnu17 -O2 -D_GNU_SOURCE -Ilib -Iswitchd -Ibuild/gen tests/bench/routes.c $OBJECTS -o build/release/routes \
	-losipparser2 -losip2 -lsqlite3 -ljansson -lz -lpcre2-8 -lsystemd -lssl -lcrypto -lnftnl -lmnl -lurcu-qsbr -lurcu-common -lresolv -lm
exec build/release/routes "$@"
