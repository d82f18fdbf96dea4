#!/usr/bin/env bash
# The mechanical house rules: sizes, import arrows, where `unsafe` may stand, banned words. CONTRIBUTING.md explains each.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
problems=0
complain() { echo "tidy: $1"; problems=$((problems + 1)); }

sans_io="TallyBase TallyTOML TallyCrypto TallyWire TallySession TallyTable TallyGossip TallyLog TallyWork TallyExchange TallyNode"
mapfile -t sources < <(find Sources Tests -name '*.swift' | sort)

# Sizes. A file is one thing; a line fits a screen.
while read -r lines file; do complain "$file has $lines lines, the limit is 500"; done \
  < <(wc -l "${sources[@]}" | awk '$2 != "total" && $2 ~ /^Sources/ && $1 > 500 {print $1, $2}')
while IFS=: read -r file line _; do complain "$file:$line is longer than 120 columns"; done \
  < <(grep -nE '^.{121,}$' "${sources[@]}" /dev/null | grep '^Sources')
while read -r lines file line name; do complain "$file:$line function $name has $lines lines, the limit is 60"; done \
  < <(awk '
    FNR == 1 { open = 0 }
    /^ *(@[a-zA-Z()]+ )*((public|private|internal|package|static|mutating|borrowing|consuming|nonmutating) )*(func|init)[ ?(<]/ && !open {
      match($0, /^ */); indent = RLENGTH; start = FNR; name = $0; sub(/^ */, "", name); sub(/[({].*/, "", name); gsub(/ /, "_", name)
      if ($0 ~ /\{/ || 1) { open = 1; close_pattern = sprintf("^ {%d}\\}", indent) }
    }
    open && $0 ~ close_pattern { n = FNR - start + 1; if (n > 60) print n, FILENAME, start, name; open = 0 }
    open && FNR > start && $0 ~ /^ *$/ && 0 { open = 0 }
  ' $(printf '%s\n' "${sources[@]}" | grep '^Sources'))

# Imports only point downward: each module may import what its row in Package.swift names, and a row may name only rows
# above it.
rows=$(tr '\n' ' ' < Package.swift | sed -E 's/(module|program|tests)\(/\n\1(/g; s/\.(target|testTarget|systemLibrary)\(/\n/g')
above=" "
while read -r row; do
  module=$(sed -nE 's/^module\( *"([A-Za-z]+)".*/\1/p' <<<"$row")
  [ -n "$module" ] || continue
  allowed=" $(grep -oE '"(Tally[A-Za-z]+)"' <<<"$row" | tr -d '"' | tr '\n' ' ')"
  grep -qw pure <<<"$row" && allowed+="TallyBase TallyCrypto TallyWire "
  for name in $allowed; do
    [ "$name" = "$module" ] || [[ "$above" == *" $name "* ]] || complain "the row of $module names $name, which stands below it"
  done
  while read -r name; do
    [[ "$allowed" == *" $name "* ]] || complain "$module imports $name, which its row in Package.swift does not name"
  done < <(grep -rhoE '^(public |internal |package |private )?import (Tally[A-Za-z]+)' "Sources/$module" | awk '{print $NF}' | sort -u)
  above+="$module "
done <<<"$rows"

for module in $sans_io; do
  hits=$(grep -nE '^ *(@[a-z_]+(\([a-z]+\))? )?(public |internal |package |private )?import (Glibc|Musl|Foundation|FoundationEssentials|CLinux|Dispatch)' -r "Sources/$module")
  [ -n "$hits" ] && complain "$module is sans-IO but imports the outside world: $hits"
  hits=$(grep -nwE 'ContinuousClock|SuspendingClock|SystemRandomNumberGenerator|randomElement|CommandLine|hashValue|Task|randombytes|crypto_sign_keypair|async|await|actor' -r "Sources/$module" | grep -vE '^\S+:\s*//' | grep -vE '//.*\b(Task|async|await|actor)\b')
  [ -n "$hits" ] && complain "$module uses a banned name: $hits"
  hits=$(grep -nE '\.random\(|\.shuffled\(|\.shuffle\(|[^a-zA-Z.]print\(' -r "Sources/$module")
  [ -n "$hits" ] && complain "$module draws chance or prints: $hits"
done

# Where memory is not safe, the file is listed here and in ARCHITECTURE.md, and every use says why it is safe.
unsafe_allowed='Sources/(TallyCrypto|TallyNet|TallyWorker)/|Sources/TallySession/Compression\.swift|Sources/TallyStore/(SQLite|Compression|File|DataDirectory|Blob)[A-Za-z+]*\.swift|Sources/TallyAdmin/(UnixSocket|PeerCredentials|PrivateFile)[A-Za-z+]*\.swift|Sources/TallyDaemon/(Posix|Spawn|Clock)[A-Za-z+]*\.swift|Sources/TallyBench/Posix[A-Za-z+]*\.swift|Sources/TallyCommands/(Posix|Spawn|Terminal)[A-Za-z+]*\.swift'
while IFS=: read -r file line text; do
  if ! [[ "$file" =~ ^($unsafe_allowed) ]]; then complain "$file:$line is not a file where unsafe may stand: $text"; fi
done < <(grep -nE '(^|[^a-zA-Z"`.])unsafe ' $(printf '%s\n' "${sources[@]}" | grep '^Sources') | grep -vE ':[0-9]+: *//')
for file in $(grep -lE '(^|[^a-zA-Z"`.])unsafe ' $(printf '%s\n' "${sources[@]}" | grep '^Sources')); do
  grep -q '// Safe:' "$file" || complain "$file says unsafe and never says why that is safe (// Safe:)"
done

# Banned everywhere in Sources.
hits=$(grep -nE '\btry!|\bas!|fatalError\(|@unchecked Sendable|nonisolated\(unsafe\)|unsafeBitCast|\b(TODO|FIXME|XXX)\b' -r Sources --include='*.swift' | grep -vE ':[0-9]+: *//')
[ -n "$hits" ] && complain "banned: $hits"
hits=$(grep -nE '\btry\?' -r Sources --include='*.swift' | grep -vE ':[0-9]+: *//')
[ -n "$hits" ] && complain "try? hides an error: $hits"
hits=$(grep -nE '\b(async|await|actor|Task)\b[ ({]' -r Sources/TallyDaemon Sources/TallyStore Sources/TallyNet Sources/TallyAdmin Sources/tallyd --include='*.swift' | grep -vE ':[0-9]+: *//')
[ -n "$hits" ] && complain "no async, actors or tasks in the daemon: $hits"

# Every file opens with what it owns.
for file in $(printf '%s\n' "${sources[@]}" | grep '^Sources/Tally'); do
  head -1 "$file" | grep -q '^// ' || complain "$file does not open with a comment that says what it owns"
done

# Large blobs do not belong into the repository.
while read -r file; do complain "$file is larger than 512 KiB"; done < <(git ls-files -z 2>/dev/null | xargs -0 -I{} find {} -size +512k 2>/dev/null)

if [ "$problems" -gt 0 ]; then
  echo "tidy: $problems problems"
  exit 1
fi
echo "tidy: ok (${#sources[@]} files)"
