#!/usr/bin/env bash
# Whether a manifest pins what a release has: compare.sh MANIFEST SHA256SUMS.
. "$(dirname "$0")/lib.sh"

manifest=${1:?which manifest}
sums=${2:?which checksums}
again=$(mktemp)
trap 'rm -f "$again"' EXIT
cp "$manifest" "$again"
bash "$here/manifest.sh" "$(pinned_version <"$manifest")" "$sums" "$again"
cmp -s "$manifest" "$again" || {
    diff "$manifest" "$again" >&2 || true
    fail "$manifest does not pin what $sums says"
}
