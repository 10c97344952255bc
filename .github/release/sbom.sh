#!/usr/bin/env bash
# Writes the bill of materials of all targets, CycloneDX in JSON: sbom.sh FOLDER makes
# FOLDER/sbom.cdx.json. Needs cargo-cyclonedx.
. "$(dirname "$0")/lib.sh"

folder=${1:?which folder}
mkdir -p "$folder"
cargo cyclonedx --format json --spec-version 1.5 --target all --override-filename sbom.cdx
mv sbom.cdx.json "$folder/sbom.cdx.json"
grep -q '"bomFormat": *"CycloneDX"' "$folder/sbom.cdx.json" || fail 'this is no bill of materials'
