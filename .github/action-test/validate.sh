#!/usr/bin/env bash
# For the workflow "action": looks at what a use of the action left behind.
# validate.sh FOLDER OUTCOME VERDICT EXPOSED, with the step's outcome in OUTCOME and its outputs, as JSON,
# in OUTPUTS.
set -euo pipefail

: "${OUTCOME:?of the step}" "${OUTPUTS:?of the step}"
folder=$1 ends=$2 verdict=$3 exposed=$4
printf '%s: %s\n' "$OUTCOME" "$OUTPUTS"

fail() {
    printf '::error::%s\n' "$1"
    exit 1
}
# One line, so that a pair of name and value can be found in it.
line=$(printf '%s' "$OUTPUTS" | tr -d '\r\n')
has() {
    local value=${2//\"/\\\"}
    case $line in
    *"\"$1\": \"$value\""*) ;;
    *) fail "the output $1 is not $2" ;;
    esac
}

[ "$OUTCOME" = "$ends" ] || fail "the step ended with $OUTCOME, not with $ends"
has verdict "$verdict"
has exposed-targets "$exposed"
has report "$folder/report.json"
has junit "$folder/junit.xml"
has summary "$folder/summary.md"
grep -q "\"verdict\": \"$verdict\"" "$folder/report.json" || fail 'the report has another verdict'
grep -q '<testcase ' "$folder/junit.xml" || fail 'JUnit has no case'
grep -q noentry "$folder/summary.md" || fail 'the summary is empty'
case $verdict in
blocked)
    if grep -qE '<(failure|error)' "$folder/junit.xml"; then fail 'a case failed'; fi
    ;;
exposed) grep -q '<failure ' "$folder/junit.xml" || fail 'no case failed' ;;
error) grep -q '<error ' "$folder/junit.xml" || fail 'no case is an error' ;;
*) fail "no such verdict: $verdict" ;;
esac
printf 'all of it is there\n'
