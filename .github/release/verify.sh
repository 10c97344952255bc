#!/usr/bin/env bash
# Whether the manifest pins a release of this repository: fetches the release's checksums and the
# archives, holds the manifest against them, and has GitHub say that this repository built them.
. "$(dirname "$0")/lib.sh"

version=$(pinned_version <action/manifest)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gh release download "v$version" --dir "$work"
(cd "$work" && sha256sum --check --quiet --strict SHA256SUMS)
bash "$here/compare.sh" action/manifest "$work/SHA256SUMS"
for target in $(targets); do
    gh attestation verify "$work/$(archive "$target")" --repo "${GITHUB_REPOSITORY:?}"
done
