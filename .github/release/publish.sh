#!/usr/bin/env bash
# Publishes a release: publish.sh TAG FOLDER. It is a draft until every file is there, so that nobody
# sees a part of it; one that is published already is left alone.
. "$(dirname "$0")/lib.sh"

tag=${1:?which tag}
folder=${2:?which folder}
notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
bash "$here/notes.sh" "${tag#v}" >"$notes"
state=$(gh release view "$tag" --json isDraft --jq .isDraft 2>/dev/null || printf 'none\n')
case $state in
    none) gh release create "$tag" --draft --verify-tag --title "noentry ${tag#v}" --notes-file "$notes" ;;
    true) ;;
    *) fail "$tag is published already, and what is published does not change" ;;
esac
gh release upload "$tag" --clobber "$folder"/*
gh release edit "$tag" --draft=false
