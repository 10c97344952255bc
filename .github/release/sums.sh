#!/usr/bin/env bash
# Writes FOLDER/SHA256SUMS for all that is in it: sums.sh FOLDER. Every target's archive has to be
# there.
. "$(dirname "$0")/lib.sh"

cd "${1:?which folder}"
for target in $(targets); do
    file=$(archive "$target")
    [ -s "$file" ] || fail "the archive $file is missing"
done
rm -f SHA256SUMS
sums=$(LC_ALL=C && sha256sum -- *)
printf '%s\n' "$sums" >SHA256SUMS
sha256sum --check --quiet --strict SHA256SUMS
