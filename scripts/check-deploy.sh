#!/usr/bin/env bash
# Checks what deploy/ ships, on a machine without Tally: units, their exposure, users, directories, shell scripts.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
problems=0
complain() { echo "deploy: $1"; problems=$((problems + 1)); }
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tally-deploy.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The units are checked against stubs of the programs that they name.
check_units() {
  if ! command -v systemd-analyze >/dev/null; then
    echo "SKIP deploy: systemd-analyze is not installed"
    return
  fi
  mkdir -p "$scratch/bin" "$scratch/units"
  printf '#!/bin/sh\n' >"$scratch/bin/stub"
  chmod 0755 "$scratch/bin/stub"
  local unit lines score
  for unit in deploy/systemd/*.service; do
    sed -e "s#^\(Exec[A-Za-z]*=\)/[^ ]*/\(tally\|tallyd\) #\1$scratch/bin/stub #" "$unit" >"$scratch/units/${unit##*/}"
    grep -q "$scratch/bin/stub" "$scratch/units/${unit##*/}" || complain "$unit starts no program of ours"
  done
  for unit in "$scratch"/units/*; do
    # It answers 0 for unknown keys: whatever it says is a problem.
    lines=$(SYSTEMD_UNIT_PATH="$scratch/units:" systemd-analyze verify --man=no "$unit" 2>&1 |
      grep -vE 'not executable: No such file or directory|^$')
    if [ -n "$lines" ]; then complain "${unit##*/}: $lines"; else echo "deploy: ${unit##*/} verified"; fi
    score=$(systemd-analyze security --offline=true --no-pager "$unit" 2>/dev/null | sed -n 's/.*Overall exposure level for \(.*: [0-9.]* [A-Z]*\).*/\1/p')
    if [ -n "$score" ]; then echo "deploy: exposure of $score"; else echo "deploy: this systemd cannot tell the exposure of ${unit##*/}"; fi
  done
  # Ten times the score; the worker's sandbox needs what it needs.
  threshold tallyd.service 15
  threshold tally-worker.service 36
}

threshold() { # threshold UNIT TEN-TIMES-SCORE
  systemd-analyze security --offline=true --no-pager --threshold=99 "$scratch/units/$1" >/dev/null 2>&1 || return 0
  systemd-analyze security --offline=true --no-pager --threshold="$2" "$scratch/units/$1" >/dev/null 2>&1 ||
    complain "$1 is more exposed than $2 / 10"
}

# Users and directories are made in an empty root, never on this machine.
check_users() {
  local root="$scratch/root" said
  mkdir -p "$root/etc" "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d"
  cp deploy/sysusers.d/tally.conf "$root/usr/lib/sysusers.d/tally.conf"
  cp deploy/tmpfiles.d/tally.conf "$root/usr/lib/tmpfiles.d/tally.conf"
  if command -v systemd-sysusers >/dev/null; then
    said=$(systemd-sysusers --dry-run --root="$root" tally.conf 2>&1) || complain "sysusers: $said"
    for name in tally tally-worker tally-admin; do
      grep -qE "(user|group) '?$name'? " <<<"$said" || complain "sysusers would not make $name: $said"
    done
    # As root the directories can be made too, with the owners that sysusers makes.
    if [ "$(id -u)" -eq 0 ] && command -v systemd-tmpfiles >/dev/null; then
      said=$(systemd-sysusers --root="$root" tally.conf 2>&1 && systemd-tmpfiles --create --root="$root" tally.conf 2>&1) ||
        complain "tmpfiles: $said"
      [ "$(stat -c %a "$root/var/lib/tally" 2>/dev/null)" = 700 ] || complain "tmpfiles made no /var/lib/tally of 0700: $said"
      grep -qE '^tally:.*tally-worker' "$root/etc/group" || complain "tally-worker is not in the group tally"
    fi
    echo "deploy: sysusers and tmpfiles checked"
  else
    echo "SKIP deploy: systemd-sysusers is not installed"
  fi
}

check_scripts() {
  local script
  for script in scripts/*.sh .ci/run; do bash -n "$script" || complain "$script does not parse"; done
  for script in deploy/debian/{postinst,prerm,postrm}; do sh -n "$script" || complain "$script does not parse"; done
  if command -v shellcheck >/dev/null; then
    shellcheck -S warning scripts/check-deploy.sh scripts/make-deb.sh deploy/debian/{postinst,prerm,postrm} ||
      complain "shellcheck is not content"
    echo "deploy: shellcheck passed over"
  else
    echo "SKIP deploy: shellcheck is not installed"
  fi
}

# What units, package and documents name must be there, and be called the same everywhere.
check_names() {
  local file
  for file in deploy/{systemd/tallyd.service,systemd/tally-worker.service,apparmor/bwrap,container/Containerfile,monitoring/README.md}; do
    [ -f "$file" ] || complain "$file is missing"
  done
  grep -q '^User=tally$' deploy/systemd/tallyd.service || complain "tallyd.service has another user than sysusers"
  grep -q '^User=tally-worker$' deploy/systemd/tally-worker.service || complain "the worker has another user than sysusers"
  local variable
  for variable in $(grep -oE '^Environment=TALLY_[A-Z_]+' deploy/systemd/tallyd.service | cut -d= -f2); do
    grep -q "\`$variable\`" PROTOCOL.md || complain "tallyd.service sets $variable, which is no setting"
  done
}

check_units
check_users
check_scripts
check_names
if [ "$problems" -gt 0 ]; then
  echo "deploy: $problems problems"
  exit 1
fi
echo "deploy: ok"
