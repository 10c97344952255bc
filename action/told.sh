# shellcheck shell=bash
# For get.sh: says that there is no noentry to run, in every place where a round would be reported. The
# program itself does the same for everything that goes wrong later (src/report/failed.rs).

# One line of plain characters, whatever it was made of: it goes into a log, XML and JSON.
clean() {
    printf '%s' "$1" | LC_ALL=C tr -c '\40-\176' '?' | sed -e 's/##\[/## [/g'
}

# A path of an input, from the workspace. One that cannot be a file's is not taken.
place() {
    local path=$1 folder=${NOENTRY_INPUT_WORKING_DIRECTORY:-.}
    case $path in
    '' | - | */ | *[[:cntrl:]]*) path=$2 ;;
    esac
    case $path in
    /*) ;;
    *)
        case $folder in
        . | ./ | *[[:cntrl:]]*) ;;
        *) path=${folder%/}/$path ;;
        esac
        ;;
    esac
    printf '%s' "$path"
}

# A path for a report: the input's, or where it is usually. The configuration is not written over.
report_place() {
    local path config
    path=$(place "$1" "$2")
    for config in "${NOENTRY_INPUT_CONFIG:-.github/noentry.yml}" noentry.yml; do
        if [ "$path" -ef "$(place "$config" "$config")" ]; then
            path=$(place "$2" "$2")
        fi
    done
    printf '%s' "$path"
}

# Writes standard input to a file and makes its folder. Where that fails there is no report, and the
# step fails all the same.
keep() {
    case $1 in */*) mkdir -p "${1%/*}" || true ;; esac
    cat >"$1" || true
}

# Takes away what an earlier round left where this one's reports will be: a job that is cancelled before
# there is a round must not keep them for its own. Where rounds are merged, they may be what is read.
forget() {
    local path
    [ -z "${NOENTRY_INPUT_MERGE:-}" ] || return 0
    for path in "$(report_place "${NOENTRY_INPUT_REPORT:-}" noentry-reports/report.json)" \
        "$(report_place "${NOENTRY_INPUT_JUNIT:-}" noentry-reports/junit.xml)" \
        "$(report_place "${NOENTRY_INPUT_SUMMARY:-}" noentry-reports/summary.md)"; do
        if [ -f "$path" ]; then rm -f -- "$path" || true; fi
    done
}

# Ends the step: fail MESSAGE.
told=''
fail() {
    local message xml json junit report summary
    # shellcheck disable=SC2034 # get.sh reads it
    told=yes
    message=$(clean "$1")
    xml=$(printf '%s' "$message" |
        sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g')
    json=$(printf '%s' "$message" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g')
    report=$(report_place "${NOENTRY_INPUT_REPORT:-}" noentry-reports/report.json)
    junit=$(report_place "${NOENTRY_INPUT_JUNIT:-}" noentry-reports/junit.xml)
    summary=$(report_place "${NOENTRY_INPUT_SUMMARY:-}" noentry-reports/summary.md)
    printf '::error title=noentry: nothing was checked::%s\n' "${message//%/%25}"
    keep "$report" <<END
{
  "error": "$json",
  "noentry": "${version:-unknown}",
  "verdict": "error",
  "version": 1
}
END
    keep "$junit" <<END
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="noentry" tests="1" failures="0" errors="1">
  <testsuite name="noentry" tests="1" failures="0" errors="1" skipped="0" time="0">
    <testcase name="The round" classname="noentry-round" time="0">
      <error type="no_round" message="nothing was checked: $xml">$xml</error>
    </testcase>
  </testsuite>
</testsuites>
END
    keep "$summary" <<END
## noentry: nothing was checked

There is no verdict: what is open and what is shut is not known.

    $message
END
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
        cat "$summary" >>"$GITHUB_STEP_SUMMARY" || true
    fi
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
        cat >>"$GITHUB_OUTPUT" <<END
verdict=error
exit-code=2
targets=0
exposed=0
waived=0
inconclusive=0
blocked=0
exposed-targets=[]
json-path=$report
junit-path=$junit
summary-path=$summary
END
    fi
    exit 2
}
