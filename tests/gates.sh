#!/usr/bin/env bash
# scripts/gates.sh lets a library through that is as it must be, and none that lacks one of the things that it looks for.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# made CODE COMPILER-OPTION...: what the gates say of a library made of it.
made() {
    local code=$1
    shift
    cc -shared -fPIC -O1 -fno-stack-protector -x c - -o "$work/made.so" -Wl,-z,relro,-z,now,--build-id "$@" <<<"$code"
    if scripts/gates.sh "$work/made.so" 'lh_' 2>&1; then echo 'let through'; fi
}

# expect WANTED CODE COMPILER-OPTION...
expect() {
    local wanted=$1 said
    said=$(made "${@:2}")
    [[ $said != *"$wanted"* ]] || return 0
    printf 'expected "%s" for %s, got: %s\n' "$wanted" "${*:2}" "$said" >&2
    failed=1
}

good='int lh_one(void) { return 1; }'
expect 'let through' "$good"
expect 'needs libm.so.6' "$good" -Wl,--no-as-needed -lm
expect 'wants pthread_key_create@GLIBC_2.34' 'int pthread_key_create(void *, void *); int lh_one(void) { return pthread_key_create(0, 0); }'
expect 'wants __strdup' 'char *__strdup(char *); char *lh_one(void) { return __strdup("1"); }'
expect 'wants nobody_has_it' 'int nobody_has_it(void); int lh_one(void) { return nobody_has_it(); }'
expect 'may want nobody_has_it' '__attribute__((weak)) int nobody_has_it(void); int lh_one(void) { return nobody_has_it ? 1 : 0; }'
expect 'exports rust_one' "$good int rust_one(void) { return 1; }"
expect 'read-only after relocation' "$good" -Wl,-z,norelro
expect 'read-only after relocation' "$good" -Wl,-z,lazy
expect 'executable stack' "$good" -Wl,-z,execstack
expect 'names places' "$good" -Wl,-rpath,/nowhere
expect 'debug information' "$good" -g
expect 'no build number' "$good" -Wl,--build-id=none
expect "a path of the machine that built it: $PWD/src" "const char *lh_path = \"$PWD/src/lib.rs\"; $good"
[ "$failed" = 0 ] && echo 'gates: passed'
exit $failed
