#!/usr/bin/env bash
# What a shipped library must be, as far as it can be read off it. Says everything that it is not, and fails then.
#
#     gates.sh FILE EXPORTS      EXPORTS is a pattern (grep -E) for all the names that it may export
#
# A name that its system lacks would be no exception: met in a constructor it ends the program. So none that glibc 2.17 or musl lacks may be
# left undefined, but for weak ones that their users look at first.
set -euo pipefail
file=$1 exports=$2
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

failed=0
refuse() {
    printf '%s: %s\n' "$file" "$*" >&2
    failed=1
}

# Both processors' are read by one readelf, objdump knows only its own.
dynamic=$(LC_ALL=C readelf -dW "$file")
symbols=$(LC_ALL=C readelf --dyn-syms -W "$file")
segments=$(LC_ALL=C readelf -lW "$file")
sections=$(LC_ALL=C readelf -SW "$file")

case $(LC_ALL=C readelf -hW "$file" | sed -n 's/ *Machine: *//p') in
    *X86-64*) processor=x86_64 ;;
    AArch64) processor=aarch64 ;;
    *) refuse 'for a processor that there is no list for' && exit 1 ;;
esac

# Of musl's loader, which takes these for its own; any other it looks for as a file.
while read -r needed; do
    case $needed in
        libc.so.6 | libpthread.so.0 | libdl.so.2) ;;
        *) refuse "needs $needed" ;;
    esac
done < <(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")

# Undefined names: strong ones are in the list in the very version; weak ones too, or their users know that they may be missing: those of GCC's
# start-up code and unwinder, and what Rust's standard library and scripts/floor/shims.c have another way for.
while read -r problem; do refuse "$problem"; done < <(
    awk '
        FNR == NR { if ($1 !~ /^#/) for (i = 3; i <= NF; i++) listed[$i] = $2; next }
        $7 != "UND" || $8 == "" { next }
        {
            split($8, part, "@")
            if (part[1] in listed) {
                if (part[2] != listed[part[1]] && ($5 != "WEAK" || part[2] != "")) print "wants " $8 ", the floor is " listed[part[1]]
            } else if ($5 != "WEAK" || part[2] != "") {
                print "wants " $8 ", which is not in glibc 2.17 and in musl"
            } else if (part[1] !~ /^(_ITM_(de)?registerTMCloneTable|__gmon_start__|__pthread_key_create|__cxa_thread_atexit_impl|__register_atfork|getrandom|gettid|statx)$/) {
                print "may want " $8 ", which is not in glibc 2.17 and in musl"
            }
        }' "scripts/floor/$processor.symbols" - <<<"$symbols"
)

while read -r name; do
    refuse "exports $name"
done < <(awk '$7 ~ /^[0-9]+$/ && $5 != "LOCAL" { print $8 }' <<<"$symbols" | grep -vE "^($exports)" || true)

if ! grep -q GNU_RELRO <<<"$segments" || ! grep -qE '\(FLAGS(_1)?\).*NOW' <<<"$dynamic"; then
    refuse 'is not fully read-only after relocation (relro, now)'
fi
grep -qE 'GNU_STACK .* RW +0' <<<"$segments" || refuse 'has an executable stack'
! grep -q TEXTREL <<<"$dynamic" || refuse 'relocates its code'
! grep -qE '\(R(UN)?PATH\)' <<<"$dynamic" || refuse 'names places to find libraries'
! grep -qE ' \.debug_' <<<"$sections" || refuse 'has debug information inside'
grep -q note.gnu.build-id <<<"$sections" || refuse 'has no build number, by which its debug information is found'
while read -r path; do
    refuse "has a path of the machine that built it: $path"
done < <(grep -aoE "(${PWD}|${CARGO_HOME:-$HOME/.cargo}|$HOME/|/rustlib/src/)[ -~]*" "$file" | head -3 || true)

exit $failed
