#!/usr/bin/env bash
# What the changelog says of a version: notes.sh VERSION.
. "$(dirname "$0")/lib.sh"

version=${1:?which version}
notes=$(awk -v head="## [$version]" '
    index($0, head) == 1 { inside = 1; next }
    inside && /^(## |\[.*\]: )/ { exit }
    inside { print }
' CHANGELOG.md | sed -e '/./,$!d')
[ -n "$notes" ] || fail "CHANGELOG.md says nothing of $version"
printf '%s\n' "$notes"
