#!/usr/bin/env bash
# Makes a Debian package out of built programs. Nothing of the machine gets into it: same programs, same bytes.
# Usage: scripts/make-deb.sh [BIN-DIRECTORY [OUTPUT-DIRECTORY]]    (default: the release build's, and .)
set -euo pipefail
umask 022
output=$(realpath "${2:-.}")
if [ -n "${1:-}" ]; then programs=$(realpath "$1"); fi
cd "$(dirname "$0")/.."
programs=${programs:-$(swift build -c release --static-swift-stdlib --show-bin-path)}
for program in tally tallyd; do
  if [ ! -x "$programs/$program" ]; then
    echo "error: no $program in $programs" >&2
    echo "  fix: make release" >&2
    exit 66
  fi
done
for library in $(ldd "$programs/tallyd" "$programs/tally" | awk '/libswift|libFoundation/ {print $1}' | sort -u); do
  echo "error: $programs/tallyd needs $library, which no Debian package has" >&2
  echo "  fix: make release (it links Swift's runtime statically)" >&2
  exit 65
done

version=$(sed -n 's/.*let text = "\([0-9.]*\)".*/\1/p' Sources/TallyAdmin/TallyVersion.swift)
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
chmod 0755 "$root"
trap 'rm -rf "$root"' EXIT

install -d "$root/DEBIAN" "$root/usr/bin" "$root/usr/share/doc/tally" "$root/usr/share/doc/tally/apparmor"
for program in tally tallyd; do
  install -m 0755 "$programs/$program" "$root/usr/bin/$program"
  strip --strip-unneeded "$root/usr/bin/$program"
done
install -D -m 0644 -t "$root/lib/systemd/system" deploy/systemd/*.service
install -D -m 0644 -t "$root/usr/lib/sysusers.d" deploy/sysusers.d/tally.conf
install -D -m 0644 -t "$root/usr/lib/tmpfiles.d" deploy/tmpfiles.d/tally.conf
install -m 0644 -t "$root/usr/share/doc/tally" README.md ARCHITECTURE.md PROTOCOL.md
install -m 0644 deploy/README.md "$root/usr/share/doc/tally/DEPLOY.md"
install -m 0644 deploy/apparmor/bwrap "$root/usr/share/doc/tally/apparmor/bwrap"
complete() { # complete SHELL FILE: what the program itself generates
  install -d "$(dirname "$root/$2")"
  "$programs/tally" --generate-completion-script "$1" >"$root/$2"
  chmod 0644 "$root/$2"
}
complete bash usr/share/bash-completion/completions/tally
complete zsh usr/share/zsh/vendor-completions/_tally
complete fish usr/share/fish/vendor_completions.d/tally.fish
for script in postinst prerm postrm; do install -m 0755 "deploy/debian/$script" "$root/DEBIAN/$script"; done

# The packages of the libraries that the programs name themselves.
needed=$(objdump -p "$root/usr/bin/tally" "$root/usr/bin/tallyd" | awk '/NEEDED/ {print $2}' | sort -u)
depends=$(ldd "$root/usr/bin/tally" "$root/usr/bin/tallyd" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort -u |
  while read -r name library; do
    grep -qxF "$name" <<<"$needed" || continue
    dpkg -S "$(realpath "$library")" 2>/dev/null || dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library"
  done | sed 's/:.*//' | sort -u | paste -sd, | sed 's/,/, /g')
size=$(du -sk --exclude DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" -e "s/@DEPENDS@/$depends/" \
  deploy/debian/control.in >"$root/DEBIAN/control"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package="$output/tally_${version}_$architecture.deb"
dpkg-deb --root-owner-group -Zxz -b "$root" "$package" >/dev/null
echo "$package"
