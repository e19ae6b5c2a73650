#!/usr/bin/env bash
# How many instructions a lease of an idle connection and its release take, with a new expiry, on one thread: counted by callgrind, and
# those of Java's compiled code step by step, so that the figures depend neither on the processor nor on how busy it is. What the kernel
# does to read its clock is not counted, but in Java, where its part that runs in the process is. With a file as argument the same figures
# go there as JSON.
set -euo pipefail
# What cannot be counted must not pass as nothing.
shopt -s inherit_errexit
[ $# -eq 0 ] || json=$(realpath "$1")
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
. scripts/gradle.sh

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

# steps_per_cycle ENTRANT: what a cycle has besides the system call that begins it.
steps_per_cycle() {
    local alone whole
    # Compiled at once, so that every run compiles the same.
    local jvm=(java -XX:-BackgroundCompilation -cp "$classpath" io.leasehold.bench.Steps)
    alone=$(python3 bench/steps.py "${jvm[@]}")
    whole=$(python3 bench/steps.py "${jvm[@]}" "$1")
    echo $((whole - alone))
}

# One by one: built together, each would have the features of all.
cargo build --release --locked --quiet -p leasehold-bench --features counted
cargo build --release --locked --quiet -p leasehold-c
cargo build --release --locked --quiet -p leasehold-jni --features counted

gradle_java --quiet :bench:stepsClasspath >&2
classpath=$(<bench/java/build/steps.classpath)

rows=''
# row NAME WHAT COUNT
row() {
    printf '%-62s %6d\n' "$2" "$3"
    rows+="${rows:+, }\"$1\": $3"
}
# counted CONTENDER WHAT
counted() {
    local count
    count=$(per_cycle "$1")
    row "$1" "$2" "$count"
}
printf '%-62s %6s\n' 'one lease and release' 'instructions'
counted engine 'engine (Rust)'
counted engine-measured 'engine, the time held measured (Rust)'
counted rust-route 'Pool, by a held route (Rust)'
counted rust-key 'Pool, by key (Rust)'
counted c 'lh_pool_lease, lh_lease_release (C)'
counted native-half 'leaseHit, releaseHit (the native half of Java)'
if [ "$(uname -m)" = x86_64 ]; then
    steps=$(steps_per_cycle LEASEHOLD)
    row java 'ConnectionPool.lease, updateExpiry, release (Java, compiled)' "$steps"
else
    echo 'no count of Java: bench/steps.py knows the registers of x86-64 only' >&2
fi
[ -z "${json:-}" ] || printf '{%s}\n' "$rows" >"$json"
