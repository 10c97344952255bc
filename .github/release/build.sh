#!/usr/bin/env bash
# Builds the program for a target: build.sh TARGET FOLDER makes FOLDER/noentry-TARGET[.exe] and runs
# it once. NOENTRY_ACTION is built in, see action.sh.
. "$(dirname "$0")/lib.sh"

target=${1:?which target}
folder=${2:?which folder}
suffix=
case $target in
    # The C library comes with the program, as on Linux: nothing has to be installed beside it.
    *-windows-msvc)
        suffix=.exe
        export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
        ;;
esac
cargo build --release --locked --target "$target"
mkdir -p "$folder"
program=$folder/noentry-$target$suffix
cp "${CARGO_TARGET_DIR:-target}/$target/release/noentry$suffix" "$program"

case $target in
    *-linux-musl)
        # A program without an interpreter needs no library of the system it runs on.
        ! readelf --program-headers "$program" | grep -q INTERP || fail "$program is not static"
        ;;
esac
"$program" --version
