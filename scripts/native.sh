#!/usr/bin/env bash
# Builds what is shipped of a crate, for one processor: with the floor that scripts/floor sets, without the paths of the machine that built it,
# and with the shared library's debug information apart, in a file of the same name that ends in .debug.
#
#     native.sh PACKAGE DIRECTORY [PROCESSOR [CARGO-OPTION...]]
#
# Of the C library also the static one, and in a file that ends in .libs what that takes from the system.
#
# The floor is had by what is linked: libraries that have nothing in them but the names and versions that glibc 2.17 and musl both know, in
# place of the machine's own, which would bind each name to its newest version. A name that is not among them fails the link. The unwinder
# becomes part of the library, as musl's systems lack GCC's.
#
# Another processor than this machine's takes its C compiler and Rust's standard library for it, see need_aarch64 in setup.sh.
set -euo pipefail
package=$1 out=$2 processor=${3:-$(uname -m)}
static=''
[ "$package" != leasehold-c ] || static=yes
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

target=$processor-unknown-linux-gnu
cargo=${CARGO:-cargo} rustc=${RUSTC:-rustc} tools=''
if [ "$processor" != "$(uname -m)" ]; then
    # Debian's, whose standard libraries for other processors are packages.
    cargo=/usr/bin/cargo rustc=/usr/bin/rustc tools=$processor-linux-gnu-
fi
cc=${tools:+${tools}gcc}
cc=${cc:-cc}
built=${CARGO_TARGET_DIR:-$PWD/target}/native

# make_floor DIRECTORY: the libraries to link with.
make_floor() {
    local directory=$1 soname
    for soname in libc.so.6 libpthread.so.0 libdl.so.2; do
        awk -v library=$soname -v script="$directory/versions" '
            $1 == library {
                for (i = 3; i <= NF; i++) {
                    printf ".globl %s\n.type %s, %%function\n%s:\n", $i, $i, $i
                    names[$2] = names[$2] $i "; "
                }
            }
            END {
                for (version in names) print version " { " names[version] "};" >script
            }' "scripts/floor/$processor.symbols" >"$directory/names.s"
        # The C compiler has no part in what the names stand for.
        "$cc" -shared -nostdlib -Wl,--version-script="$directory/versions" -Wl,-soname,$soname "$directory/names.s" \
            -o "$directory/${soname%.so*}.so"
        rm "$directory/versions"
    done
    # What Rust's standard library names besides. All that is used of it is in the three.
    echo 'INPUT(-lgcc_eh -lgcc)' >"$directory/libgcc_s.so"
    for soname in rt util m; do echo '/* nothing */' >"$directory/lib$soname.so"; done
    "$cc" -O2 -fPIC -fvisibility=hidden -fno-stack-protector -ffunction-sections -Wall -Wextra -c scripts/floor/shims.c -o "$directory/shims.o"
}

# Made anew only when it has changed: it is part of what cargo compares, and linking takes a minute.
mkdir -p "$built"
floor=$built/floor-$processor
new=$(mktemp -d "$built/floor-XXXXXX")
trap 'rm -rf "$new"' EXIT
make_floor "$new"
diff -rq "$new" "$floor" >/dev/null 2>&1 || { rm -rf "$floor" && mv "$new" "$floor"; }

cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags=(
    "--remap-path-prefix=$PWD=leasehold"
    "--remap-path-prefix=$cargo_home/registry/src=registry"
    "--remap-path-prefix=$("$rustc" --print sysroot)/lib/rustlib/src/rust=rust"
)
# Separated as cargo wants them, since paths may have spaces.
printf -v flags '%s\x1f' "${flags[@]}"

linker=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_LINKER
said=$(env RUSTC="$rustc" CARGO_ENCODED_RUSTFLAGS="${flags%$'\x1f'}" CARGO_PROFILE_RELEASE_DEBUG=line-tables-only "$linker=$cc" \
    "$cargo" rustc --release --locked -p "$package" --lib --target "$target" --target-dir "$built" \
    --crate-type "cdylib${static:+,staticlib}" "${@:4}" -- --print native-static-libs \
    -C link-arg="$floor/shims.o" -C link-arg="-L$floor" -C link-arg=-Wl,-z,defs,--build-id=sha1 2>&1) || {
    echo "$said" >&2
    exit 1
}

name=lib${package//-/_}
made=$built/$target/release/$name
mkdir -p "$out"
"${tools}objcopy" --only-keep-debug "$made.so" "$out/$name.so.debug"
# Functions' names stay, for backtraces.
"${tools}objcopy" --strip-debug --add-gnu-debuglink="$out/$name.so.debug" "$made.so" "$out/$name.so.new"
mv "$out/$name.so.new" "$out/$name.so"
if [ -n "$static" ]; then
    "${tools}objcopy" --strip-debug "$made.a" "$out/$name.a"
    # Cargo repeats what the compiler printed, also when nothing was to be built. The C compiler itself adds libgcc_s, or libgcc_eh for a
    # static program, and libc.
    sed -n 's/^note: native-static-libs: //p' <<<"$said" | tail -n 1 | tr ' ' '\n' |
        grep -v -e '^-lgcc_s$' -e '^-lc$' -e '^$' | awk '!seen[$0]++' | paste -sd ' ' >"$out/$name.libs"
fi
