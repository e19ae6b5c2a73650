# ./dev platforms: builds for every platform and proves on it what can be proved here. Sourced by ./dev.
#
# A platform is shown by one of three: listed, its symbols are read off the library; run; run under an emulator. README.md has the table.

platforms() {
    [ "$(uname -m)" = x86_64 ] || die 'platforms builds on x86-64: there it emulates aarch64'
    can_be_root || die 'platforms makes chroots of Debian: run it as root'
    tools rust cxx c_tests java gradle pip python3 musl debootstrap aarch64
    platform_work=$PWD/target/platforms
    mkdir -p "$platform_work"
    : >"$platform_work/shown"
    step 'jar and C libraries for x86-64 and aarch64' build_platforms
    step 'glibc 2.17 and musl, listed' list_floor
    step 'musl, run' run_on_musl
    step 'Debian 11, run' run_on_debian bullseye 11 2.31 openjdk-11-jre-headless
    step 'Debian 13, run' run_on_debian trixie 13 2.41 openjdk-21-jre-headless
    step 'aarch64 under qemu, Rust' test_aarch64_rust
    step 'aarch64 under qemu, C' test_aarch64_c
    step 'aarch64 under qemu, Java' test_aarch64_java
    leave_out_on_aarch64
    step 'the table of README.md' compare_platform_table
    sum_up
}

# shown PLATFORM HOW: for the table, of a step that has come to its end.
shown() { printf '%s\t%s\n' "$1" "$2" >>"$platform_work/shown"; }

# ----- build -----

build_platforms() {
    local processor jar size
    gradle_java --quiet -Pprocessors=x86_64,aarch64 :tests-smoke:bundle :leasehold:assemble
    rm -rf "$platform_work/bundle"
    cp -r tests/smoke/build/bundle "$platform_work/bundle"
    for processor in x86_64 aarch64; do
        scripts/gates.sh java-bindings/leasehold/build/native/META-INF/native/linux-$processor/*.so 'Java_io_leasehold_|JNI_On'
        scripts/native.sh leasehold-c "$platform_work/c-$processor" $processor
        scripts/gates.sh "$platform_work/c-$processor/libleasehold_c.so" lh_
    done
    jar=$(echo "$platform_work"/bundle/leasehold-[0-9]*.jar)
    for processor in x86_64 aarch64; do
        # Not into grep -q, whose end would be a broken pipe.
        [ "$(python3 -m zipfile --list "$jar" | grep -cE "^META-INF/native/linux-$processor/[^ ]*\.so(\.sha256)? ")" = 2 ]
    done
    size=$(stat -c %s "$jar")
    echo "the jar has $size bytes; it may have 2000000"
    [ "$size" -le 2000000 ]
}

# ----- x86-64 -----

# The newest version of each library that is wanted of glibc. The gates have seen that it is no other than the floor's.
list_floor() {
    local file
    for file in "$platform_work"/c-*/libleasehold_c.so java-bindings/leasehold/build/native/META-INF/native/*/*.so; do
        printf '%s: %s\n' "${file#"$PWD"/}" "$(readelf -VW "$file" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)"
    done
    # What the lists say that musl has, it has.
    nm -D --defined-only /lib/ld-musl-x86_64.so.1 | awk '{ print $3 }' | sort -u >"$platform_work/musl"
    grep -v '^#' scripts/floor/x86_64.symbols | cut -d ' ' -f 3- | tr ' ' '\n' | sort -u | comm -23 - "$platform_work/musl" |
        tee "$platform_work/lacking"
    [ ! -s "$platform_work/lacking" ]
    shown 'x86-64, glibc 2.17 and later' 'listed'
    shown 'aarch64, glibc 2.17 and later' 'listed'
}

# build_smoke PROCESSOR DIRECTORY COMPILER...: the C program with the library as installed, and with one that panics on demand.
build_smoke() {
    local processor=$1 directory=$2 compiler=("${@:3}" -std=c99 "${c_warnings[@]}" -Ic-header/include) library
    mkdir -p "$directory/faults"
    # Only for its unwinding: not optimised across crates, which takes a minute.
    CARGO_PROFILE_RELEASE_LTO=off scripts/native.sh leasehold-c "$platform_work/faults-$processor" "$processor" --features faults
    install -m 755 "$platform_work/c-$processor/libleasehold_c.so" "$directory/libleasehold.so.0"
    install -m 755 "$platform_work/faults-$processor/libleasehold_c.so" "$directory/faults/libleasehold.so.0"
    # What the library itself wants is for the loader to find.
    library=(-pthread -ldl -Wl,--allow-shlib-undefined "-Wl,-rpath,\$ORIGIN")
    "${compiler[@]}" tests/smoke/smoke.c "$directory/libleasehold.so.0" "${library[@]}" -o "$directory/smoke"
    "${compiler[@]}" -DFAULTS tests/smoke/smoke.c "$directory/faults/libleasehold.so.0" "${library[@]}" -o "$directory/faults/smoke"
}

run_on_musl() {
    build_smoke x86_64 "$platform_work/musl-smoke" musl-gcc
    readelf -lW "$platform_work/musl-smoke/smoke" | grep 'interpreter: /lib/ld-musl-x86_64.so.1'
    "$platform_work/musl-smoke/smoke" "$PWD"/java-bindings/leasehold/build/native/META-INF/native/linux-x86_64/*.so
    "$platform_work/musl-smoke/faults/smoke"
    shown 'x86-64, musl 1.2' "run: a C program under musl's loader, which also resolves all that the Java library wants"
}

# run_on_debian SUITE RELEASE GLIBC JRE: the very jar in a system of its own, with HttpClient 3.1 and 4.5, and the C library as a user there
# builds programs with it, shared and static.
run_on_debian() {
    local suite=$1 release=$2 glibc=$3 jre=$4 root=$tool_cache/$1
    make_debian "$suite" "$root" "$jre"
    as_root rm -rf "$root/opt/leasehold"
    as_root mkdir -p "$root/opt/leasehold"
    rm -rf "$platform_work/prefix"
    install_c "$platform_work/prefix" /opt/leasehold/prefix
    as_root cp -r "$platform_work/bundle" "$platform_work/prefix" tests/smoke/smoke.c "$root/opt/leasehold"
    in_root "$root" "
        grep '^$release' /etc/debian_version
        ldd --version | grep -F ' $glibc'
        cd /opt/leasehold
        java -Xcheck:jni -cp 'bundle/*' io.leasehold.tests.smoke.Smoke
        export PKG_CONFIG_PATH=/opt/leasehold/prefix/lib/pkgconfig
        cc -std=c99 smoke.c \$(pkg-config --cflags --libs leasehold) -pthread -ldl -o smoke
        ./smoke
        cc -std=c99 smoke.c -Iprefix/include prefix/lib/libleasehold.a \\
            \$(pkg-config --static --libs-only-l leasehold | sed s/-lleasehold//) -o smoke-static
        ./smoke-static"
    shown 'x86-64, glibc 2.17 and later' "run on Debian $release ($glibc)"
}

# make_debian SUITE DIRECTORY JRE: once; made apart, so that it is whole or not there.
make_debian() {
    local suite=$1 root=$2 jre=$3
    [ ! -e "$root" ] || return 0
    mkdir -p "$tool_cache"
    as_root rm -rf "$root.new"
    say "fetching Debian $suite"
    as_root debootstrap --variant=minbase "$suite" "$root.new" http://deb.debian.org/debian >"$platform_work/debootstrap.log" 2>&1 || {
        tail -n 20 "$platform_work/debootstrap.log"
        return 1
    }
    # Where a package's script would start something.
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >'$root.new/usr/sbin/policy-rc.d' && chmod 755 '$root.new/usr/sbin/policy-rc.d'"
    in_root "$root.new" "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $jre gcc libc6-dev pkg-config" \
        >"$platform_work/debootstrap.log" 2>&1 || {
        tail -n 20 "$platform_work/debootstrap.log"
        return 1
    }
    as_root mv "$root.new" "$root"
}

# in_root DIRECTORY COMMANDS: with a /proc that goes with them.
in_root() {
    # shellcheck disable=SC2016
    as_root unshare --mount --pid --fork sh -c '
        mount -t proc proc "$1/proc"
        exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec "$2"' in_root "$1" "$2"
}

# ----- aarch64 -----

# Optimised, as the emulator is slow; but not across crates, which takes minutes for each test program. With debug assertions, and so of the
# sizes that tests have in ./dev test.
cargo_aarch64() {
    env RUSTC=/usr/bin/rustc CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64 \
        /usr/bin/cargo "$1" --release --locked --target aarch64-unknown-linux-gnu --target-dir target/aarch64 "${@:2}"
}

# Every test of the engine and of the Rust pool that is not left out by name.
test_aarch64_rust() {
    local test options=()
    for test in rust-core/tests/*.rs rust-core/tests/*/main.rs; do
        test=${test%/main.rs}
        test=$(basename "$test" .rs)
        case $test in
            # Left out, see leave_out_on_aarch64.
            forks | vanish) ;;
            *) options+=(--test "$test") ;;
        esac
    done
    cargo_aarch64 test -p leasehold --lib "${options[@]}"
    shown 'aarch64, glibc 2.17 and later' 'under qemu tests of the engine and of the Rust pool'
}

test_aarch64_c() {
    local what
    cargo_aarch64 build --quiet -p leasehold-c --lib --features faults
    c_tested=target/aarch64/aarch64-unknown-linux-gnu/release/libleasehold_c.a
    # cmocka's header is in the directory of this machine's own.
    c_compiler=(aarch64-linux-gnu-gcc -idirafter /usr/include -L/usr/lib/aarch64-linux-gnu)
    compile_c_tests "$platform_work/c-tests-aarch64"
    # Left out, see leave_out_on_aarch64.
    qemu-aarch64 "$platform_work/c-tests-aarch64" -a_child_may_have_pools_of_its_own
    compile_c_unload "$platform_work/c-unload-aarch64"
    timeout 60 qemu-aarch64 "$platform_work/c-unload-aarch64" "${c_tested%.a}.so"
    compile_c_threads "$platform_work/c-hammer-aarch64" $c_sources/hammer.c
    qemu-aarch64 "$platform_work/c-hammer-aarch64" 200
    compile_c_matrix "$platform_work/c-matrix-aarch64"
    for what in callbacks memory threads; do qemu-aarch64 "$platform_work/c-matrix-aarch64" $what; done
    build_smoke aarch64 "$platform_work/aarch64-smoke" aarch64-linux-gnu-gcc
    qemu-aarch64 "$platform_work/aarch64-smoke/smoke"
    qemu-aarch64 "$platform_work/aarch64-smoke/faults/smoke"
    shown 'aarch64, glibc 2.17 and later' 'of the C library'
}

test_aarch64_java() {
    local remarks=$platform_work/java-remarks
    : >"$remarks"
    get_jdk_aarch64
    "$jdk_cache-aarch64/25/bin/java" --enable-native-access=ALL-UNNAMED -cp "$platform_work/bundle/*" io.leasehold.tests.smoke.Smoke
    # Into a file, as the JVM has much to say of the JNI calls of others' libraries.
    gradle_java --quiet --continue -Premarks="$remarks" -Pprocessors=x86_64,aarch64 \
        :leasehold:testOnAarch64 :leasehold-httpclient4:testOnAarch64 >"$platform_work/java.log" 2>&1 || {
        tail -n 300 "$platform_work/java.log"
        return 1
    }
    grep -E '^\[ .* tests (found|successful) ' "$platform_work/java.log"
    shown 'aarch64, glibc 2.17 and later' 'of the Java pool and of the manager for HttpClient 4.5'
}

# By name what is too slow there, or cannot be.
leave_out_on_aarch64() {
    report_remarks "$platform_work/java-remarks"
    left_out 'aarch64: rust-core/tests/forks.rs, c-header/tests/c/forks.c, a_child_may_have_pools_of_its_own' \
        'the emulator fails in a forked child that has threads'
    left_out 'aarch64: rust-core/tests/vanish.rs, c-header/tests/c/vanish.c' 'they take a network of their own, and minutes'
    left_out 'aarch64: valgrind and the sanitizers' 'there are none in an emulator'
    left_out 'aarch64: the manager for HttpClient 3.1 beyond the smoke, tests against real servers' \
        'too slow; the native library under them is the one that the others test'
}

# ----- table -----

# README.md has the very rows that were shown.
compare_platform_table() {
    sed -n '/<!-- platforms: /,/^$/p' README.md | tail -n +4 | sed '/^$/d' >"$platform_work/readme"
    awk -F '\t' '
        !($1 in how) { order[++rows] = $1 }
        { how[$1] = how[$1] (how[$1] == "" ? "" : "; ") $2 }
        END { for (i = 1; i <= rows; i++) print "| " order[i] " | " how[order[i]] " |" }' "$platform_work/shown" |
        diff -u "$platform_work/readme" -
}
