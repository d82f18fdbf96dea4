#!/usr/bin/env bash
# Everything that `make test` does: set up, house rules, unit and property tests, real processes.
# Closes with the plain line `N passed, N failed, N skipped`; exits non-zero when anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test || exit $?

log=$(mktemp -d "${TMPDIR:-/tmp}/tally-test.XXXXXX")
trap 'rm -rf "$log"' EXIT
failed_steps=0

step() { # step NAME COMMAND…
  local name=$1
  shift
  echo "== $name"
  local start=$SECONDS
  "$@" 2>&1 | tee "$log/$name.txt"
  local status=${PIPESTATUS[0]}
  echo "== $name: exit $status after $((SECONDS - start)) s"
  if [ "$status" -ne 0 ]; then failed_steps=$((failed_steps + 1)); fi
}

step tidy bash scripts/tidy.sh
step deploy bash scripts/check-deploy.sh
step build swift build --build-tests
# Tests of one run share a process: a sandbox's supervisor would hold the locks that the store's tests take, and their
# mounts would be found by the sandbox's. Real daemons and long simulations want a quiet machine.
step unit swift test --skip-build --skip 'ProcessTests|ScenarioTests|TallyStoreTests|TallyWorkerTests'
step store swift test --skip-build --filter TallyStoreTests
step worker swift test --skip-build --filter TallyWorkerTests
step scenarios swift test --skip-build --filter ScenarioTests
step processes swift test --skip-build --filter ProcessTests

# Swift Testing closes with "Test run with N tests … passed" or "… failed … with M issues"; every test has its own line.
passed=$(cat "$log"/*.txt | grep -vE 'Test run with' | grep -cE '^(✔|✓|􁁛) Test .*passed after' || true)
failed=$(cat "$log"/*.txt | grep -vE 'Test run with' | grep -cE '^(✘|􀢄) Test .*(failed after|timed out)' || true)
skipped=$(cat "$log"/*.txt | grep -cE '^SKIP ' || true)
if [ "$failed_steps" -gt 0 ] && [ "$failed" -eq 0 ]; then failed=$failed_steps; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
