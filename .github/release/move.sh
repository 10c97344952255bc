#!/usr/bin/env bash
# Moves the tag v1, which people use the action by, to what is checked out: move.sh REMOTE. Its
# manifest has to pin a release, and never an older one than v1 pins now.
. "$(dirname "$0")/lib.sh"

remote=${1:?which remote}
new=$(pinned_version <action/manifest)
grep -q '^archive ' action/manifest || fail 'the manifest pins no release'
git diff --quiet HEAD -- action/manifest || fail 'the manifest is not the committed one'

# Two is git's word for "no such tag"; anything else that is wrong must not pass for that.
there=0
git ls-remote --exit-code "$remote" refs/tags/v1 >/dev/null || there=$?
case $there in
    0)
        git fetch --quiet --force --no-tags "$remote" +refs/tags/v1:refs/tags/v1
        old=$(git show v1:action/manifest | pinned_version)
        last=$(printf '%s\n%s\n' "$old" "$new" | sort --version-sort | tail -n 1)
        [ "$last" = "$new" ] || fail "v1 pins $old, and $new is older"
        ;;
    2) ;;
    *) fail "cannot ask $remote for v1" ;;
esac
git tag --force v1 HEAD
git push --quiet --force "$remote" refs/tags/v1
printf 'v1 is %s, with noentry %s\n' "$(git rev-parse HEAD)" "$new"
