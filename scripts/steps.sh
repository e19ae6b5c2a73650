# Runs a command's steps one after the other, all of them even when one fails, and sums them up. Sourced by ./dev.

step_results=()
steps_failed=0

# step NAME COMMAND...
step() {
    local name=$1 start=$SECONDS status
    shift
    printf '\n== %s\n' "$name"
    # Not in a condition: there bash would go on after a failure inside the command's functions.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    if [ $status -eq 0 ]; then
        step_results+=("ok        $name ($((SECONDS - start)) s)")
    else
        step_results+=("FAILED    $name ($((SECONDS - start)) s)")
        steps_failed=1
    fi
}

# side_by_side 'NAME...' COMMAND...: the command with each of the names behind it, as many at a time as there are processors. What each says
# is printed in the order of the names, under its name; one that fails is named once more, and then this fails.
side_by_side() {
    local said name failed=()
    said=$(mktemp -d)
    # shellcheck disable=SC2016,SC2086
    printf '%s\n' $1 | xargs -P "$(nproc)" -I '{}' sh -c '"$@" >"$0" 2>&1 || : >"$0.failed"' "$said/{}" "${@:2}" '{}'
    for name in $1; do
        printf '\n-- %s\n' "$name"
        cat "$said/$name"
        [ ! -e "$said/$name.failed" ] || failed+=("$name")
    done
    rm -r "$said"
    [ ${#failed[@]} -eq 0 ] || {
        printf '\nfailed: %s\n' "${failed[*]}" >&2
        return 1
    }
}

# left_out NAME REASON
left_out() {
    printf '\n== %s: left out (%s)\n' "$1" "$2"
    remark 'left out' "$1" "$2"
}

# remark KIND WHAT WHY: a line of the summary that is no step.
remark() {
    step_results+=("$(printf '%-8s  %s: %s' "$1" "$2" "$3")")
}

# Ends a command of steps: prints what became of each, and fails if one failed. .ci/run repeats the lines from the file.
sum_up() {
    printf '\n== %s\n' "$command"
    mkdir -p target
    printf '%s\n' "${step_results[@]}" | tee "target/$command-summary.txt"
    return $steps_failed
}
