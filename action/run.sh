#!/usr/bin/env bash
# Brings noentry to this runner (get.sh) and runs the check. Linux and macOS; bash 3.2 is enough.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/noentry-XXXXXX")

# The token is for the incidents alone: neither a download nor a build gets to see it, nor what else
# of the job's own opens doors.
env -u NOENTRY_GITHUB_TOKEN -u GITHUB_TOKEN -u GH_TOKEN -u ACTIONS_RUNTIME_TOKEN \
    -u ACTIONS_ID_TOKEN_REQUEST_TOKEN bash "$here/get.sh" "$work"

# In this shell's place, so that a cancelled job interrupts the round and still gets its reports.
exec "$(cat "$work/binary")" action
