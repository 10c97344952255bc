#!/usr/bin/env bash
# Whether a tag may become a release: check.sh TAG [BRANCH]. Prints its version.
# The tag is vX.Y.Z, Cargo.toml, Cargo.lock and the changelog say the same, and where a branch is
# named what is checked out is a part of it.
. "$(dirname "$0")/lib.sh"

tag=${1:?which tag}
branch=${2:-}
[[ $tag =~ ^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] ||
    fail "the tag $tag is not of the form vX.Y.Z"
version=${tag#v}

# The package's own version is the first in its file.
stated=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ "$stated" = "$version" ] || fail "the tag is $tag, and Cargo.toml says $stated"

locked=$(awk '/^name = "noentry"$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock)
[ "$locked" = "$version" ] || fail "the tag is $tag, and Cargo.lock says $locked"

grep -Eq "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}\$" CHANGELOG.md ||
    fail "CHANGELOG.md has no section '## [$version] - YYYY-MM-DD'"
bash "$here/notes.sh" "$version" >/dev/null

if [ -n "$branch" ]; then
    git merge-base --is-ancestor HEAD "$branch" || fail "$tag is not on $branch"
fi
printf '%s\n' "$version"
