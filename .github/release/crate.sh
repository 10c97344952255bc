#!/usr/bin/env bash
# Whether the crate can be published: it is packed without a warning, and builds from what was packed.
. "$(dirname "$0")/lib.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo package --locked --color never "$@" 2>&1 | tee "$log"
! grep -q '^warning' "$log" || fail 'cargo package warns'
