#!/usr/bin/env bash
# Puts the path of a noentry into the file "binary" of the folder $1: the one that `binary-path` names,
# the one that the manifest pins for this platform, or one built from the action's own source.
# Linux and macOS; bash 3.2, curl and tar are enough.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$1
# shellcheck source=action/told.sh
source "$here/told.sh"

# Nothing but fail ends the step, and never from within $(…): its words would be lost. Where a command
# fails that never should, fail has the last word too: no reports and no outputs are no news.
trap '[ -n "$told" ] || fail "noentry could not be brought to this runner: the log of the step says why"' EXIT
say() { printf 'noentry: %s\n' "$(clean "$1")"; }

# This platform as Rust calls it; nothing where no binary is made for it.
platform() {
    case ${RUNNER_OS:-$(uname -s)}/${RUNNER_ARCH:-$(uname -m)} in
    Linux/X64 | Linux/x86_64) echo x86_64-unknown-linux-musl ;;
    Linux/ARM64 | Linux/aarch64) echo aarch64-unknown-linux-musl ;;
    macOS/ARM64 | Darwin/arm64) echo aarch64-apple-darwin ;;
    macOS/X64 | Darwin/x86_64) echo x86_64-apple-darwin ;;
    esac
}

# Reads the manifest: version, releases, and archive and digest for the target $1 where it has them.
# It stands beside this script, so what is odd about it is not guessed at.
version='' releases='' archive='' digest=''
read_manifest() {
    local line seen=' ' manifest=$here/manifest
    local is_version='^version ([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)$'
    local is_releases='^releases (https://[A-Za-z0-9._/-]+)$'
    local is_archive='^archive ([a-z0-9_-]+) ([0-9a-f]{64}) ([A-Za-z0-9][A-Za-z0-9._-]*)$'
    [ -f "$manifest" ] || fail "the action has no manifest: its checkout is not whole"
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        case $line in '' | '#'*) continue ;; esac
        if [[ $line =~ $is_version ]] && [ -z "$version" ]; then
            version=${BASH_REMATCH[1]}
        elif [[ $line =~ $is_releases ]] && [ -z "$releases" ]; then
            releases=${BASH_REMATCH[1]}
        elif [[ $line =~ $is_archive ]] && [[ $seen != *" ${BASH_REMATCH[1]} "* ]]; then
            seen+="${BASH_REMATCH[1]} "
            if [ "${BASH_REMATCH[1]}" = "$1" ]; then
                digest=${BASH_REMATCH[2]} archive=${BASH_REMATCH[3]}
            fi
        else
            fail "the action's manifest is damaged in the line '$line': use another release of the action"
        fi
    done <"$manifest"
    if [ -z "$version" ] || [ -z "$releases" ]; then
        fail "the action's manifest is damaged, it lacks its version or its releases: use another release of the action"
    fi
}

# Linux has the first, macOS the second.
sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1" | cut -d ' ' -f 1
    else
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    fi
}

# Fetches $1 into the file $2, over the protocols $3. What may pass is tried four times.
download() {
    local shown status pause why
    shown=$(printf '%s' "$1" | sed -e 's|//[^/]*@|//***@|')
    command -v curl >/dev/null || fail "curl is not on this runner: install it, or give binary-path"
    say "downloading $shown"
    for pause in 1 2 4 0; do
        if status=$(curl --silent --show-error --location --globoff --proto "=$3" \
            --proto-redir "=$3" --connect-timeout 10 --max-time 300 --speed-limit 1000 \
            --speed-time 30 --output "$2" --write-out '%{http_code}' "$1" 2>"$work/curl"); then
            case $status in
            200) return ;;
            # What the same request may bring another time: 406, 408, 429, and whatever is not of 4xx.
            406 | 408 | 429) ;;
            4??) fail "$shown is not there (HTTP status $status): look at the release, or at the input mirror" ;;
            esac
            why="HTTP status $status"
        else
            why=$(head -n 1 "$work/curl")
        fi
        if [ "$pause" != 0 ]; then
            say "$why; once more in $pause s"
            sleep "$pause"
        fi
    done
    fail "$shown could not be downloaded in four tries, at last because of: $why. Run the job again, or set the input mirror or from-source"
}

# The archive that is pinned, from the tool cache or the network, as the file $1.
archive_as() {
    local cache='' base=$releases protocols=https found
    if [ -n "${RUNNER_TOOL_CACHE:-}" ]; then
        cache=$RUNNER_TOOL_CACHE/noentry/$version/$target
    fi
    # What is used is the copy that was looked at: others may write to the cache. One that cannot be
    # read is none.
    if [ -n "$cache" ] && [ -f "$cache/$archive" ] && cp "$cache/$archive" "$1"; then
        found=$(sha256 "$1")
        if [ "$found" = "$digest" ]; then
            say "$archive $version from the tool cache, SHA-256 $digest"
            return
        fi
        echo "::warning title=noentry::the tool cache holds another $archive (SHA-256 $found) than the action pins: it is not used"
    fi
    if [ -n "$mirror" ]; then
        base=$mirror
        # Who may know the words for a mirror is the one that was asked over https, not who listens.
        case $mirror in http:*) protocols=http,https ;; esac
    fi
    download "$base/v$version/$archive" "$1" "$protocols"
    found=$(sha256 "$1")
    if [ "$found" != "$digest" ]; then
        fail "$archive $version has the SHA-256 $found, and the action pins $digest: it is not used. Look into it: the download, the mirror or the release was changed"
    fi
    say "$archive $version, SHA-256 $digest"
    # Beside its place first, so that nobody finds half of it. A cache that takes nothing is no trouble.
    if [ -n "$cache" ] && mkdir -p "$cache" 2>/dev/null && cp "$1" "$cache/.$$" 2>/dev/null; then
        mv -f "$cache/.$$" "$cache/$archive" || rm -f "$cache/.$$"
    fi
}

# Whether the program $1 runs here and says that it is noentry; its version is then in `answer`.
answers() {
    [ -f "$1" ] && [ -x "$1" ] && answer=$("$1" --version 2>/dev/null) &&
        [[ $answer == "noentry "[0-9]* ]]
}

downloaded() {
    command -v sha256sum >/dev/null || command -v shasum >/dev/null ||
        fail "neither sha256sum nor shasum is on this runner, so that no download can be verified: install one, or give binary-path"
    archive_as "$work/$archive"
    mkdir "$work/unpacked"
    tar -xzf "$work/$archive" -C "$work/unpacked" ||
        fail "$archive cannot be unpacked with this runner's tar: set from-source, or give binary-path"
    binary=$work/unpacked/noentry
    if ! answers "$binary" || [ "$answer" != "noentry $version" ]; then
        fail "the noentry of $archive does not run here: set from-source, or give binary-path"
    fi
}

# Builds it because of $1. Every dependency is the one of Cargo.lock.
built() {
    local folder
    command -v cargo >/dev/null ||
        fail "$1, and there is no cargo on this runner to build noentry with: install Rust (https://rustup.rs), or give binary-path"
    [ -f "$here/../Cargo.lock" ] ||
        fail "$1, and the action's checkout has no source to build noentry from: give binary-path"
    echo "::notice title=noentry::$(clean "$1"): building noentry $version from the action's own source, which takes some minutes"
    folder=${CARGO_TARGET_DIR:-${RUNNER_TEMP:-${TMPDIR:-/tmp}}/noentry-build}
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    # In the action's folder: a checkout of somebody else's must not configure this build.
    (cd "$here/.." && env -u CARGO_BUILD_TARGET cargo build --release --locked --bin noentry \
        --target-dir "$folder") ||
        fail "noentry could not be built from source, see the log: Rust is too old, or its registry out of reach"
    binary=$work/noentry
    cp "$folder/release/noentry" "$binary"
    answers "$binary" || fail "the noentry that was built does not run"
}

# What the workflow asks for. Everything about the check itself is the program's to read.
one_line() {
    case $2 in *[[:cntrl:]]*) fail "input \`$1\`: one line is expected" ;; esac
}
forget
target=$(platform)
read_manifest "$target"
wanted=${NOENTRY_INPUT_VERSION:-}
given=${NOENTRY_INPUT_BINARY_PATH:-}
mirror=${NOENTRY_INPUT_MIRROR:-}
one_line version "$wanted"
one_line binary-path "$given"
one_line mirror "$mirror"
case ${NOENTRY_INPUT_FROM_SOURCE:-false} in
true) from_source=yes ;;
false) from_source='' ;;
*) fail "input \`from-source\`: '$NOENTRY_INPUT_FROM_SOURCE' is neither true nor false" ;;
esac
if [ -n "$wanted" ] && [ "${wanted#v}" != "$version" ]; then
    fail "input \`version\`: the action pins noentry $version, not '${wanted#v}': pin the action's release of that version, and leave this input out"
fi
if [ -n "$given" ] && [ -n "$from_source$mirror" ]; then
    fail "input \`binary-path\`: it names the program, so from-source and mirror must not be given"
fi
if [ -n "$from_source" ] && [ -n "$mirror" ]; then
    fail "input \`mirror\`: nothing is downloaded where from-source is true: give one of them"
fi
is_mirror='^https?://[^/?#[:space:]]+[^?#[:space:]]*$'
if [ -n "$mirror" ] && ! [[ $mirror =~ $is_mirror ]]; then
    # Not quoted: it may have a password in it.
    fail "input \`mirror\`: it is no address that begins with https:// or http:// and has neither ? nor #"
fi
mirror=${mirror%/}

if [ -n "$given" ]; then
    binary=$(place "$given" '')
    case $binary in /*) ;; *) binary=$PWD/$binary ;; esac
    answers "$binary" ||
        fail "input \`binary-path\`: $given is not there, or no noentry that runs here"
    say "$answer, as binary-path names it"
elif [ -n "$from_source" ]; then
    built "from-source is true"
elif [ -z "$archive" ]; then
    built "the action pins no release for ${target:-this platform}"
else
    downloaded
fi
printf '%s\n' "$binary" >"$work/binary"
told=yes
