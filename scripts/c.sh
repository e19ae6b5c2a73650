# The C library: its header, its listing, its tests, its installation. Sourced by ./dev.

c_sources=c-header/tests/c
c_header=c-header/include/leasehold.h
c_warnings=(-Wall -Wextra -Wpedantic -Werror)
# Of the tests.
c_compiler=(cc)
# Each a source, and what the program runs when it is given this name. Those that take long under valgrind come first.
c_groups=(requests threads sockets pools basics routes leases misuse)

c_version() { sed -n 's/^#define LH_VERSION_TEXT "\(.*\)"/\1/p' $c_header; }

# ----- check -----

# The committed header is what cbindgen makes of the sources. Every compiler there is takes it alone and twice, behind declarations of the
# program's own that name its structs by their tags. No struct has padding.
check_c_header() {
    cargo test --quiet --locked -p leasehold-c --test header
    local unit compiler
    unit=$(mktemp -d)
    {
        sed -n 's/^typedef struct \(lh_[a-z_]*\) {$/struct \1; void take_\1(struct \1 by_value, struct \1 *by_pointer);/p' $c_header
        printf '#include "leasehold.h"\n#include "leasehold.h"\n'
    } | tee "$unit/header.c" >"$unit/header.cc"
    [ "$(grep -c '^struct' "$unit/header.c")" = "$(grep -c '^typedef struct' $c_header)" ]
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        $compiler -std=c99 "${c_warnings[@]}" -Wpadded -Ic-header/include -fsyntax-only "$unit/header.c"
    done
    for compiler in g++ clang++; do
        command -v $compiler >/dev/null || continue
        $compiler -std=c++17 "${c_warnings[@]}" -Wpadded -Ic-header/include -fsyntax-only "$unit/header.cc"
    done
    rm -r "$unit"
}

# What a program built against an earlier version relies on: the exported symbols, the sizes and offsets of the structs,
# the numbers of the enums. Additions are for a new minor version, anything else for a new soname.
check_c_abi() {
    local listing=target/leasehold.abi
    build_c_library
    list_c_abi >$listing
    if ! diff -u c-header/leasehold.abi $listing; then
        echo "the ABI is another one; if that is intended: cp $listing c-header/leasehold.abi" >&2
        return 1
    fi
}

list_c_abi() {
    local program
    program=$(mktemp -d)
    echo "soname $(objdump -p "$c_library/libleasehold_c.so" | sed -n 's/ *SONAME *//p')"
    nm -D --defined-only "$c_library/libleasehold_c.so" | sed 's/^[0-9a-f]* //; s/^/symbol /' | LC_ALL=C sort
    awk -f c-header/abi.awk $c_header >"$program/abi.c"
    cc -std=c99 "${c_warnings[@]}" -Ic-header/include "$program/abi.c" -o "$program/abi"
    "$program/abi"
    rm -r "$program"
}

# ----- build and install -----

# The library as it is installed: in $c_library.
build_c_library() {
    c_library=$PWD/target/shipped/c-$(uname -m)
    scripts/native.sh leasehold-c "$c_library"
}

# install_c DIRECTORY [PREFIX]: header, shared and static library, and what pkg-config and CMake ask for; into DIRECTORY, which is to become
# PREFIX.
install_c() {
    local directory=$1 prefix=${2:-$1} version numbers soname
    version=$(c_version)
    numbers=${version%%-*}
    build_c_library
    soname=$(objdump -p "$c_library/libleasehold_c.so" | sed -n 's/ *SONAME *//p')
    install -d "$directory/include" "$directory/lib/pkgconfig" "$directory/lib/cmake/leasehold"
    install -m 644 $c_header "$directory/include/"
    install -m 644 "$c_library/libleasehold_c.a" "$directory/lib/libleasehold.a"
    install -m 755 "$c_library/libleasehold_c.so" "$directory/lib/libleasehold.so.$numbers"
    # Where debuggers look for it: beside the library, under the name that the library gives.
    install -m 644 "$c_library/libleasehold_c.so.debug" "$directory/lib/"
    ln -sf "libleasehold.so.$numbers" "$directory/lib/$soname"
    ln -sf "$soname" "$directory/lib/libleasehold.so"
    fill_in c-header/leasehold.pc.in "$directory/lib/pkgconfig/leasehold.pc"
    fill_in c-header/leaseholdConfig.cmake.in "$directory/lib/cmake/leasehold/leaseholdConfig.cmake"
    fill_in c-header/leaseholdConfigVersion.cmake.in "$directory/lib/cmake/leasehold/leaseholdConfigVersion.cmake"
}

# fill_in TEMPLATE FILE: for install_c, whose variables it uses.
fill_in() {
    sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" -e "s|@NUMBERS@|$numbers|" -e "s|@SONAME@|$soname|" \
        -e "s|@PRIVATE_LIBS@|$(cat "$c_library/libleasehold_c.libs")|" "$1" >"$2"
}

# ----- test -----

# build_c_tests SANITIZER [CARGO-OPTION...]: the library with everything the tests need, in $c_tested; '' for none. Without one it is
# optimised as far as valgrind takes without false reports: that is a third of its work.
build_c_tests() {
    local sanitizer=$1 host dir=target/c-tests${1:+-$1} optimised=0
    shift
    [ -n "$sanitizer" ] || optimised=1
    host=$(rustc -vV | sed -n 's/^host: //p')
    c_tested=$dir/$host/debug/libleasehold_c.a
    # The compiler calls sanitizers unstable. Its own standard library has none, except where it is built along.
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=${sanitizer:+-Zsanitizer=$sanitizer} CARGO_PROFILE_DEV_OPT_LEVEL=$optimised \
        cargo build --quiet --locked -p leasehold-c --lib --features faults --target "$host" --target-dir "$dir" "$@"
}

# compile_c_tests PROGRAM COMPILER-OPTION...
compile_c_tests() {
    local sources=("${c_groups[@]/#/$c_sources/}")
    compile_with_cmocka "$1" $c_sources/{main,support}.c "${sources[@]/%/.c}" "${@:2}"
}

# compile_with_cmocka PROGRAM SOURCE-OR-OPTION...
compile_with_cmocka() {
    local program=$1
    shift
    "${c_compiler[@]}" -g -std=c99 -D_POSIX_C_SOURCE=200809L "${c_warnings[@]}" -Ic-header/include "$@" "$c_tested" \
        -lcmocka -lpthread -ldl -lm -o "$program"
}

# compile_c_threads PROGRAM SOURCE-OR-OPTION...: a program of many threads.
compile_c_threads() {
    local program=$1
    shift
    "${c_compiler[@]}" -g -std=c11 -D_GNU_SOURCE "${c_warnings[@]}" -Ic-header/include "$@" "$c_tested" -lpthread -ldl -lm -o "$program"
}

# compile_c_unload PROGRAM: which loads the library itself.
compile_c_unload() {
    "${c_compiler[@]}" -g -std=c11 -D_GNU_SOURCE "${c_warnings[@]}" -Ic-header/include $c_sources/unload.c -lpthread -ldl -o "$1"
}

test_c_valgrind() {
    build_c_tests ''
    compile_c_tests target/c-tests/tests
    side_by_side "${c_groups[*]}" valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
        --error-exitcode=9 --suppressions="$c_sources/valgrind.supp" target/c-tests/tests
}

test_c_vanish() {
    build_c_tests ''
    compile_with_cmocka target/c-tests/vanish $c_sources/{vanish,support}.c
    scripts/vanish.sh target/c-tests/vanish
}

test_c_unload() {
    build_c_tests ''
    compile_c_unload target/c-tests/unload
    timeout 60 target/c-tests/unload "${c_tested%.a}.so"
    # The one that is installed is linked in another way.
    build_c_library
    timeout 60 target/c-tests/unload "$c_library/libleasehold_c.so"
}

test_c_forks() {
    build_c_tests ''
    compile_c_threads target/c-tests/forks $c_sources/forks.c
    target/c-tests/forks
}

# Every callback and every function that there is: what the program has no row for does not compile.
list_c_matrix() {
    sed -n 's/^symbol T \(lh_.*\)/FUNCTION(\1)/p' c-header/leasehold.abi
    grep -o '(\*lh_[a-z_]*_callback)(' $c_header | sed 's/(\*\(.*\))(/CALLBACK(\1)/'
}

# Linked so that the program decides which allocation fails the library, and whether there are threads.
compile_c_matrix() {
    local wrapped=(malloc calloc realloc posix_memalign pthread_create)
    list_c_matrix >target/matrix_rows.h
    compile_c_threads "$1" -Itarget $c_sources/matrix.c "${wrapped[@]/#/-Wl,--wrap=}" "${@:2}"
}

test_c_matrix() {
    local what
    build_c_tests ''
    compile_c_matrix target/c-tests/matrix
    for what in callbacks memory threads; do target/c-tests/matrix $what; done
}

test_c_address() {
    build_c_tests address
    compile_c_tests target/c-tests-address/tests -fsanitize=address,undefined -fno-sanitize-recover=undefined
    target/c-tests-address/tests
    compile_c_threads target/c-tests-address/hammer $c_sources/hammer.c -fsanitize=address,undefined -fno-sanitize-recover=undefined
    target/c-tests-address/hammer 200
}

# Built with the standard library instrumented, too: otherwise the sanitizer does not see the order that its locks make.
test_c_thread() {
    cc -O1 -fno-builtin -c $c_sources/tsan_names.c -o target/c-tests-thread/tsan_names.o
    compile_c_threads target/c-tests-thread/hammer $c_sources/hammer.c -fsanitize=thread target/c-tests-thread/tsan_names.o
    without_aslr target/c-tests-thread/hammer 200
}

# Where the kernel scatters addresses widely, older ThreadSanitizers find no room for their shadow.
without_aslr() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}

# The examples as a user builds them, against an installed library and a real server.
test_c_examples() {
    local prefix=$PWD/target/c-prefix
    rm -rf "$prefix"
    install_c "$prefix"
    examples/c/try.sh "$prefix"
    tests/snippets.py c "$prefix"
}

test_c() {
    step 'C tests under valgrind' test_c_valgrind
    step 'C library unloaded' test_c_unload
    step 'C library in forked children' test_c_forks
    step 'C matrix: callbacks, memory, threads' test_c_matrix
    step 'C tests under ASAN and UBSAN' test_c_address
    printf '\n== building for TSAN\n'
    if build_c_tests thread -Zbuild-std=std,panic_unwind; then
        step 'C hammer under TSAN' test_c_thread
    else
        left_out 'C hammer under TSAN' 'this rustc could not build its standard library, see above'
    fi
    step 'C examples, installed' test_c_examples
}
