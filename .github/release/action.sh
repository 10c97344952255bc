#!/usr/bin/env bash
# The newest action that brings a released program, as OWNER/REPO@SHA VERSION: action.sh OWNER/REPO.
# It is built into the program, so that `noentry init` knows what to pin. Nothing is printed where no
# action brings a release yet.
. "$(dirname "$0")/lib.sh"

repository=${1:?which repository, as OWNER/REPO}
commit=$(git rev-parse --verify --quiet 'refs/tags/v1^{commit}') || exit 0
manifest=$(git show "$commit:action/manifest")
grep -q '^archive ' <<<"$manifest" || exit 0
printf '%s@%s v%s\n' "$repository" "$commit" "$(pinned_version <<<"$manifest")"
