#!/usr/bin/env bash
# Pins a release in the action's manifest: manifest.sh VERSION SHA256SUMS MANIFEST. Comments and the
# place of the releases stay as they are.
. "$(dirname "$0")/lib.sh"

version=${1:?which version}
sums=${2:?which checksums}
manifest=${3:?which manifest}
grep -q '^releases ' "$manifest" || fail "$manifest does not say where the releases are"

lines=
for target in $(targets); do
    file=$(archive "$target")
    digest=$(awk -v file="$file" '$2 == file { print $1 }' "$sums")
    [[ $digest =~ ^[0-9a-f]{64}$ ]] || fail "$sums has no single digest of $file"
    lines+="archive $target $digest $file"$'\n'
done
kept=$(grep -v '^archive ' "$manifest" | sed "s/^version .*/version $version/")
printf '%s\n%s' "$kept" "$lines" >"$manifest"
[ "$(pinned_version <"$manifest")" = "$version" ] || fail "$manifest has no line for the version"
