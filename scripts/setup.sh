#!/usr/bin/env bash
# Installs what the build needs from Debian, or prints the exact command when it may not.
# Usage: scripts/setup.sh [test]   ("test" adds what only the tests use)
set -euo pipefail

packages=(libsodium-dev liblz4-dev libsqlite3-dev libssl-dev libarchive-dev bubblewrap pkg-config)
if [ "${1:-}" = test ]; then packages+=(nftables iproute2 python3 sqlite3 systemd); fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -eq 0 ]; then
    echo "setup: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "error: missing Debian packages: ${missing[*]}" >&2
    echo "  why: Tally links against them (crypto, compression, store, archives) or runs jobs in them (bubblewrap)" >&2
    echo "  fix: sudo sh -c '$command'" >&2
    exit 69
  fi
fi

if ! command -v swift >/dev/null; then
  echo "error: no swift on PATH" >&2
  echo "  fix: install a Swift 6.3 toolchain for Debian 12 from swift.org and put its usr/bin on PATH" >&2
  exit 69
fi
