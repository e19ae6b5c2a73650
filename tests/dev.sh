#!/usr/bin/env bash
# What ./dev says before it starts anything: about its options, and about what the machine lacks.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export LC_ALL=C

# expect WHAT WANTED SAID
expect() {
    [[ $3 != *"$2"* ]] || return 0
    printf '%s: expected "%s", got "%s"\n' "$1" "$2" "$3" >&2
    failed=1
}

# refusal ARGUMENT...: what ./dev says when it does not even start.
refusal() {
    if ./dev "$@" 2>&1; then echo 'no refusal'; fi
}

# rust_sources PATH: the packages that the sources of the standard library take, with nothing but this on the PATH.
rust_sources() {
    PATH=$1 "$BASH" -eu <<'SCRIPT' || echo "ended with $?"
. scripts/setup.sh
need_rust_sources
echo "packages:${missing_packages[*]}."
SCRIPT
}

# side_by_side NAMES COMMAND...: what it says on two processors, and how it ends.
side_by_side() {
    "$BASH" -c 'nproc() { echo 2; }; . scripts/steps.sh; side_by_side "$@"' dev "$@" 2>&1 && echo 'ended well' || echo "ended with $?"
}

# Every command that ./dev knows has a line of help, with how long it takes, and says that line itself.
commands=$(sed -n "/^case .command in/,/^esac/s/^    \\([a-z][a-z |]*\\)) .*/\\1/p" dev | tr -d "|")
[ "$(wc -w <<<"$commands")" -gt 10 ] || expect 'the commands of ./dev' 'more than ten' "$commands"
for command in $commands; do
    [ "$command" != help ] || continue
    expect "the help of $command" "./dev $command" "$(refusal "$command" --help)"
    expect "the help of $command" 'takes about' "$(refusal "$command" --help)"
done
expect 'a command that begins' 'demo takes about' "$(refusal demo --jsno figures.json)"
expect 'the help of no command' "unknown command 'nothing'" "$(refusal nothing --help)"

expect 'an unknown option' "unknown option '--jsno'" "$(refusal demo --jsno figures.json)"
expect 'an option without its value' '--json needs a value' "$(refusal closes --json)"
expect 'figures into a folder that is missing' "$work/none/figures.json: No such file" "$(refusal bench --json "$work/none/figures.json")"
expect 'figures into what is a folder' "$work: Is a directory" "$(refusal demo --json "$work")"

# The first ends last; the second fails, and says something to either stream.
cat >"$work/program" <<'SCRIPT'
case $2 in
    first) while [ ! -e "$1/second" ]; do sleep 0.01; done ;;
    second) : >"$1/second"; echo "to stderr" >&2; exit 9 ;;
esac
echo "$2 ran"
SCRIPT
said=$(side_by_side 'first second third' sh "$work/program" "$work")
expect 'programs side by side' $'-- first\nfirst ran\n\n-- second\nto stderr\n\n-- third\nthird ran\n' "$said"
expect 'one that fails among them' $'failed: second\nended with 1' "$said"
expect 'none that fails' 'ended well' "$(side_by_side 'third' sh "$work/program" "$work")"
expect 'one that cannot be run' 'ended with 1' "$(side_by_side 'third' "$work/none")"

expect 'no Rust at all' -src "$(rust_sources "$work/none")"
ln -s "$(type -P true)" "$work/rustc"
expect 'a Rust that is neither rustup'\''s nor Debian'\''s' packages:. "$(rust_sources "$work")"
[ "$failed" = 0 ] && echo 'dev: passed'
exit $failed
