#!/usr/bin/env bash
# Opens the pull request that pins a release: propose.sh VERSION SHA256SUMS REMOTE. With
# NOENTRY_NO_PULL_REQUEST=1 it only pushes the branch.
. "$(dirname "$0")/lib.sh"

version=${1:?which version}
sums=${2:?which checksums}
remote=${3:?which remote}
branch=release/manifest-$version
bash "$here/manifest.sh" "$version" "$sums" action/manifest
if git diff --quiet -- action/manifest; then
    printf 'noentry %s is pinned already\n' "$version"
    exit 0
fi
git switch --quiet --force-create "$branch"
git -c user.name='github-actions[bot]' \
    -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
    commit --quiet --message "Pin noentry $version in the action" -- action/manifest
# A run that is repeated finds the branch of the first.
git push --quiet --force "$remote" "$branch"
[ "${NOENTRY_NO_PULL_REQUEST:-}" = 1 ] && exit 0
gh pr view "$branch" >/dev/null 2>&1 ||
    gh pr create --base main --head "$branch" --title "Pin noentry $version in the action" --body \
        "The digests of the release v$version. When this is merged, v1 moves to it."
