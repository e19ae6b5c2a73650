#!/usr/bin/env bash
# Deliberate mistakes in the engine, each of which a test must catch: proof that the tests look where they should.
# A mistake is a patch in rust-core/tests/mistakes that says which tests of which kind catch it; each is made in a copy
# of the crate, which must still compile, and each of its tests must then fail. Arguments choose mistakes by name.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

mistakes=rust-core/tests/mistakes
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/mistakes
mkdir -p "$CARGO_TARGET_DIR"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# The workspace with this crate alone: what cargo needs to build it.
copy_crate() {
    rm -rf "${copy:?}"/*
    sed 's/^members = .*/members = ["rust-core"]/' Cargo.toml >"$copy/Cargo.toml"
    cp Cargo.lock "$copy/"
    mkdir "$copy/rust-core"
    cp -r rust-core/Cargo.toml rust-core/src "$copy/rust-core/"
}

# test_crate KIND ARGUMENT...: runs the copy's tests, of the random model or under loom.
test_crate() {
    local kind=$1 flags='-C debug-assertions=on'
    shift
    [ "$kind" = model ] || flags="--cfg $kind $flags"
    (cd "$copy" && RUST_BACKTRACE=0 LEASEHOLD_MODEL_OPS=100000 RUSTFLAGS=$flags CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 \
        CARGO_TARGET_DIR=$CARGO_TARGET_DIR/$kind timeout 900 cargo test --quiet --package leasehold --lib "$@")
}

# The tests that a mistake names must pass without it, or they prove nothing.
check_without_mistakes() {
    local kind
    copy_crate
    for kind in model loom; do
        local tests=()
        mapfile -t tests < <(sed -n "s/^Caught by $kind: //p" "${patches[@]}" | tr ' ' '\n' | sort -u)
        [ ${#tests[@]} -gt 0 ] || continue
        echo "without a mistake ($kind)" >&2
        if ! test_crate "$kind" -- "${tests[@]}" >"$log" 2>&1; then
            cat "$log" >&2
            echo "the tests fail without any mistake" >&2
            exit 1
        fi
    done
}

# catch PATCH: prints what became of it, and fails unless each of its tests has caught it.
catch() {
    local patch=$1 kind tests test
    kind=$(sed -n 's/^Caught by \([a-z]*\): .*/\1/p' "$patch")
    tests=$(sed -n 's/^Caught by [a-z]*: //p' "$patch")
    copy_crate
    if ! git -C "$copy" apply --recount "$PWD/$patch" 2>"$log"; then
        echo "NO LONGER APPLIES"
        return 1
    fi
    if ! test_crate "$kind" --no-run >"$log" 2>&1; then
        echo "DOES NOT COMPILE"
        return 1
    fi
    for test in $tests; do
        if test_crate "$kind" -- --exact "engine::tests::$([ "$kind" = model ] && echo random || echo "$kind")::$test" >"$log" 2>&1; then
            echo "NOT CAUGHT by $test"
            return 1
        fi
        if ! grep -q "^test result: FAILED" "$log"; then
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
