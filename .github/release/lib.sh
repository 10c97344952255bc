# shellcheck shell=bash
# What the release's scripts share. Sourced, never run.
set -euo pipefail

# Ends with a reason.
fail() {
    printf 'release: %s\n' "$1" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The targets of a release, one a line.
targets() {
    sed -n 's/^\([^# ]\{1,\}\) .*/\1/p' "$here/targets"
}

# What the archive of a target is called.
archive() {
    case $1 in
        *-windows-*) printf 'noentry-%s.zip\n' "$1" ;;
        *) printf 'noentry-%s.tar.gz\n' "$1" ;;
    esac
}

# The version that a manifest of the action, on standard input, pins; nothing where there is none.
pinned_version() {
    sed -n 's/^version \(.*\)$/\1/p'
}
