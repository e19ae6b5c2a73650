#!/usr/bin/env bash
# How many instructions a lease of an idle connection and its release take, with a new expiry, on one thread: counted by callgrind, so that
# the figures depend neither on the processor nor on how busy it is. What the kernel does to read its clock is not counted. With a file as
# argument the same figures go there as JSON.
set -euo pipefail
# What cannot be counted must not pass as nothing.
shopt -s inherit_errexit
[ $# -eq 0 ] || json=$(realpath "$1")
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

few=1000 more=11000
# Apart: built with features that nothing else has.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/cycles
program=$CARGO_TARGET_DIR/release/leasehold-bench
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# instructions CONTENDER CYCLES
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" cycles "$1" "$2" 2>"$said" || {
        cat "$said" >&2
        exit 1
    }
    awk '/Collected :/ { print $NF }' "$said"
}

# per_cycle CONTENDER: what one cycle more adds.
per_cycle() {
    local first second
    first=$(instructions "$1" $few)
    second=$(instructions "$1" $more)
    echo $(((second - first) / (more - few)))
}

# One by one: built together, each would have the features of all.
cargo build --release --locked --quiet -p leasehold-bench --features counted
cargo build --release --locked --quiet -p leasehold-c
cargo build --release --locked --quiet -p leasehold-jni --features counted

rows=''
# row CONTENDER WHAT
row() {
    local count
    count=$(per_cycle "$1")
    printf '%-62s %6d\n' "$2" "$count"
    rows+="${rows:+, }\"$1\": $count"
}
printf '%-62s %6s\n' 'one lease and release' 'instructions'
row engine 'engine (Rust)'
row engine-measured 'engine, the time held measured (Rust)'
row rust-route 'Pool, by a held route (Rust)'
row rust-key 'Pool, by key (Rust)'
row c 'lh_pool_lease, lh_lease_release (C)'
row native-half 'leaseHit, releaseHit (the native half of Java)'
[ -z "${json:-}" ] || printf '{%s}\n' "$rows" >"$json"
