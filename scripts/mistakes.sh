#!/usr/bin/env bash
# Deliberate mistakes in the engine and in the Rust and C faces, each of which a test must catch: proof that the tests look where they
# should. A mistake is a patch in rust-core/tests/mistakes that says which tests of which kind catch it; each is made in a copy of the
# crates, which must still compile, and each of its tests must then fail. Arguments choose mistakes by name.
#
# The kinds: "model" and "loom" are the engine's tests of these names, "loom" with a module another one's; "rust" are tests of the Rust
# face, each after the file it is in, or "lib"; "c" are tests of the C library.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
. scripts/c.sh

mistakes=rust-core/tests/mistakes
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/mistakes
mkdir -p "$CARGO_TARGET_DIR"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# The workspace with these two crates alone: what cargo needs to build them.
copy_crates() {
    rm -rf "${copy:?}"/*
    sed 's/^members = .*/members = ["rust-core", "c-header"]/' Cargo.toml >"$copy/Cargo.toml"
    cp README.md Cargo.lock "$copy/"
    cp -r rust-core c-header "$copy/"
}

# in_copy KIND COMMAND...: with what every build for tests of a kind is done with.
in_copy() {
    local kind=$1 flags='-C debug-assertions=on'
    shift
    [ "$kind" != loom ] || flags="--cfg loom $flags"
    (cd "$copy" && RUST_BACKTRACE=0 LEASEHOLD_MODEL_OPS=100000 RUSTFLAGS=$flags CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 \
        CARGO_TARGET_DIR=$CARGO_TARGET_DIR/$kind timeout 900 "$@")
}

# build_tests KIND
build_tests() {
    case $1 in
        model | loom) in_copy "$1" cargo test --quiet --package leasehold --lib --no-run ;;
        rust) in_copy rust cargo build --quiet --package leasehold ;;
        c)
            in_copy c cargo build --quiet --package leasehold-c --lib --features faults
            c_tested=$CARGO_TARGET_DIR/c/debug/libleasehold_c.a
            (cd "$copy" && compile_c_tests "$CARGO_TARGET_DIR/c/tests")
            ;;
        *)
            echo "no tests are of the kind '$1'" >&2
            return 1
            ;;
    esac
}

# run_test KIND TEST
run_test() {
    case $1 in
        model) in_copy model cargo test --quiet --package leasehold --lib -- --exact "engine::tests::random::$2" ;;
        loom)
            local test=$2
            # The engine's, unless another place is named.
            [[ $test == *::* ]] || test=engine::tests::loom::$test
            in_copy loom cargo test --quiet --package leasehold --lib -- --exact "$test"
            ;;
        rust)
            local file=${2%%::*}
            if [ "$file" = lib ]; then
                in_copy rust cargo test --quiet --package leasehold --lib -- --exact "${2#*::}"
            else
                in_copy rust cargo test --quiet --package leasehold --test "$file" -- --exact "${2#*::}"
            fi
            ;;
        c) timeout 300 "$CARGO_TARGET_DIR/c/tests" "$2" ;;
    esac
}

# The tests that a mistake names must pass without it, or they prove nothing.
check_without_mistakes() {
    local kind test tests
    copy_crates
    for kind in model loom rust c; do
        mapfile -t tests < <(sed -n "s/^Caught by $kind: //p" "${patches[@]}" | tr ' ' '\n' | sort -u)
        [ ${#tests[@]} -gt 0 ] || continue
        echo "without a mistake ($kind)" >&2
        build_tests "$kind" >"$log" 2>&1 || without_mistake_failed
        for test in "${tests[@]}"; do
            run_test "$kind" "$test" >"$log" 2>&1 || without_mistake_failed
            # A name that no test has passes, too.
            grep -Eq '^running 1 test|1 test\(s\) run' "$log" || without_mistake_failed
        done
    done
}

without_mistake_failed() {
    cat "$log" >&2
    echo "a test fails without any mistake, or there is no such test" >&2
    exit 1
}

# catch PATCH: prints what became of it, and fails unless each of its tests has caught it.
catch() {
    local patch=$1 kind tests test
    kind=$(sed -n 's/^Caught by \([a-z]*\): .*/\1/p' "$patch")
    tests=$(sed -n 's/^Caught by [a-z]*: //p' "$patch")
    copy_crates
    if ! git -C "$copy" apply --recount "$PWD/$patch" 2>"$log"; then
        echo "NO LONGER APPLIES"
        return 1
    fi
    if ! build_tests "$kind" >"$log" 2>&1; then
        echo "DOES NOT COMPILE"
        return 1
    fi
    for test in $tests; do
        if run_test "$kind" "$test" >"$log" 2>&1; then
            echo "NOT CAUGHT by $test"
            return 1
        fi
        if ! grep -Eq '^test result: FAILED|^\[  FAILED  \]' "$log"; then
            echo "BROKE $test without failing it"
            return 1
        fi
    done
    echo "caught by $tests"
}

log=$CARGO_TARGET_DIR/last.log
patches=()
for patch in "$mistakes"/*.patch; do
    name=$(basename "$patch" .patch)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    patches+=("$patch")
done
[ ${#patches[@]} -gt 0 ] || {
    echo "no such mistake: $*" >&2
    exit 2
}
check_without_mistakes
failed=0
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    if ! outcome=$(catch "$patch"); then
        failed=$((failed + 1))
        [ ! -s "$log" ] || tail -n 20 "$log" >&2
    fi
    printf '%-42s %s\n' "$name" "$outcome"
done
echo "$((${#patches[@]} - failed)) of ${#patches[@]} mistakes caught"
[ "$failed" -eq 0 ]
