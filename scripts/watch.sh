#!/usr/bin/env bash
# What it costs to watch idle connections, counted: system calls and instructions of a lease and its release, and the housekeeper's
# processor time while many connections are idle. Counts do not depend on how busy the machine is. Arguments choose: calls,
# instructions, time; burst, which is a time that nothing judges, has to be asked for.
set -euo pipefail
# What cannot be counted must not pass as nothing.
shopt -s inherit_errexit
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
. scripts/gradle.sh

few=1000 more=11000 idle=10000 seconds=10 burst=5000
program=${CARGO_TARGET_DIR:-target}/release/leasehold-tests-watch
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0

# count WHAT SETTING CYCLES
count() {
    local run=("$program" cycles "$2" "$3")
    case $1 in
        calls)
            strace --summary-only --output="$out" "${run[@]}" || die 'strace cannot trace here: may this user not use ptrace?'
            awk '$NF == "total" { print $4 }' "$out"
            ;;
        instructions)
            valgrind --tool=callgrind --callgrind-out-file=/dev/null "${run[@]}" 2>"$out" || die "$(cat "$out")"
            awk '/Collected :/ { print $NF }' "$out"
            ;;
    esac
}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# hundredths WHAT SETTING: what one cycle more adds.
hundredths() {
    local first second
    first=$(count "$1" "$2" $few)
    second=$(count "$1" "$2" $more)
    echo $(((second - first) * 100 / (more - few)))
}

# judge WHAT FIGURE MOST UNIT
judge() {
    local word=ok
    if [ "$2" -gt "$3" ]; then
        word='TOO MUCH'
        failed=1
    fi
    printf '%-75s %6s %s (at most %s): %s\n' "$1" "$2" "$4" "$3" "$word"
}

check_calls() {
    local off watch probe both
    off=$(hundredths calls off)
    watch=$(hundredths calls watch)
    probe=$(hundredths calls probe)
    both=$(hundredths calls both)
    judge 'system calls of 100 leases and releases, watched' $((watch - off)) 0 more
    judge 'system calls of 100 leases and releases, probed (one look each)' $((probe - off)) 100 more
    judge 'system calls of 100 leases and releases, watched and probed' $((both - probe)) 0 'more than probed'
}

check_instructions() {
    local off watch probe both
    off=$(hundredths instructions off)
    watch=$(hundredths instructions watch)
    probe=$(hundredths instructions probe)
    both=$(hundredths instructions both)
    judge "instructions of a lease and release, watched ($((off / 100)) without)" $(((watch - off) * 1000 / off)) 30 'thousandths more'
    judge "instructions of a lease and release, watched and probed ($((probe / 100)) probed)" \
        $(((both - probe) * 1000 / probe)) 30 'thousandths more'
}

# How late a lease by the watch alone can be where many are closed at once: to be read, not judged.
say_burst() {
    local late latest
    ulimit -n "$(ulimit -Hn)"
    read -r late latest < <("$program" burst $burst)
    echo "of $burst closed at once: leased after their close by the watch alone: $late times, $latest microseconds later at most"
}

check_time() {
    local used woken
    ulimit -n "$(ulimit -Hn)"
    used=$("$program" idle $idle $seconds)
    judge "processor time of the housekeeper in $seconds s, $idle idle connections" "$used" 10000 microseconds
    # Both ends of each are in one process.
    read -r used woken < <(gradle_java --quiet -Pcount=$((idle / 2)) -Pseconds=$seconds :tests-watch:idle | tail -n 1)
    judge "wakes of the Java housekeeper in $seconds s, $((idle / 2)) idle connections" "${woken:?it was not counted}" $((2 * seconds)) times
    # A thread that wakes once a second finds the caches emptied by everybody else, and is charged for that, by how busy they are.
    printf '%-75s %6s microseconds\n' 'their processor time' "$used"
}

cargo build --release --locked --quiet -p leasehold-tests-watch
[ $# -gt 0 ] || set -- calls instructions time
for what; do
    case $what in
        calls) check_calls ;;
        instructions) check_instructions ;;
        time) check_time ;;
        burst) say_burst ;;
        *) die "nothing counts '$what'" ;;
    esac
done
exit $failed
