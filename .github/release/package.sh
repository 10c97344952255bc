#!/usr/bin/env bash
# Makes the archives: package.sh BINARIES ARCHIVES. BINARIES holds noentry-TARGET[.exe] for every
# target, ARCHIVES gets noentry-TARGET.tar.gz, or .zip for Windows, with the program at its top.
# The same programs make the same archives: names are sorted, owners and times fixed.
# NOENTRY is the program that prints the manual and the completions; the one for this machine, unless
# it is set.
. "$(dirname "$0")/lib.sh"

binaries=${1:?where the programs are}
archives=${2:?where the archives go}
program=${NOENTRY:-$binaries/noentry-$(uname -m)-unknown-linux-musl}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
common=$work/common
mkdir -p "$common/completions" "$archives"
archives=$(cd "$archives" && pwd)
# Programs that went from one runner to another have lost their mode.
cp "$program" "$work/noentry"
chmod 755 "$work/noentry"
cp LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md "$common"
"$work/noentry" man >"$common/noentry.1"
"$work/noentry" completions bash >"$common/completions/noentry.bash"
"$work/noentry" completions fish >"$common/completions/noentry.fish"
"$work/noentry" completions zsh >"$common/completions/_noentry"
"$work/noentry" completions powershell >"$common/completions/_noentry.ps1"

for target in $(targets); do
    inside=$work/$target
    cp -R "$common" "$inside"
    case $target in
        *-windows-*) name=noentry.exe from=$binaries/noentry-$target.exe ;;
        *) name=noentry from=$binaries/noentry-$target ;;
    esac
    [ -s "$from" ] || fail "the program for $target is missing: $from"
    cp "$from" "$inside/$name"
    find "$inside" -type d -exec chmod 755 {} +
    find "$inside" -type f -exec chmod 644 {} +
    chmod 755 "$inside/$name"
    find "$inside" -exec touch --no-dereference --date="@$epoch" {} +
    file=$archives/$(archive "$target")
    rm -f "$file"
    case $file in
        *.zip) (cd "$inside" && find . -type f | LC_ALL=C sort | TZ=UTC zip -q -X -@ "$file") ;;
        *) (cd "$inside" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
            tar --create --format=ustar --owner=0 --group=0 --numeric-owner --no-recursion \
                --files-from=- | gzip -n >"$file") ;;
    esac
done
