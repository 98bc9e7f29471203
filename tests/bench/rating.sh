#!/bin/bash
# A million random charges against exact fractions: the unit test's own cases, more of them. Minutes, not seconds.
#   tests/bench/rating.sh [CASES]
set -euo pipefail
cd "$(dirname "$0")/../.."

test=build/asan/tests/unit/rating/test_oracle
make V=asan "$test"
time RATING_CASES=${1:-1000000} "$test"
