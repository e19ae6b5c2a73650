# ./dev demo, ./dev closes, ./dev agent, ./dev clients, ./dev mutants, ./dev bench and ./dev cycles. Sourced by ./dev.

demo() {
    tools rust java gradle nginx
    say 'building, then running'
    gradle_java --quiet ${json:+-Pjson="$json"} :tests-demo:demo
}

closes() {
    tools rust java gradle
    say 'building, then running'
    gradle_java --quiet ${json:+-Pjson="$json"} :tests-closes:closes
}

agent() {
    tools rust java gradle nginx
    say 'building, then running'
    gradle_java --quiet :tests-agent:agent
    gradle_java --quiet :tests-redeployment:redeployments
}

clients() {
    tools rust java gradle
    say 'building, then running'
    gradle_java --quiet :leasehold-httpclient3:manyClients
}

mutants() {
    tools rust java gradle
    say 'building, then mutating'
    gradle_java --quiet :leasehold:mutants :leasehold-httpclient3:mutants :leasehold-httpclient4:mutants \
        :leasehold-httpclient5:mutants
}

bench() {
    local load rows=$PWD/target/bench
    tools rust java gradle nginx python3 counters
    mkdir -p "$rows"
    load=$(cut -d ' ' -f 1 /proc/loadavg)
    say 'Rust and C: building, then measuring'
    # One by one: built together, each would have the features of both. The C library last, as it is what lies beside the program.
    cargo build --release --locked --quiet -p leasehold-bench
    cargo build --release --locked --quiet -p leasehold-c
    cargo run --release --locked --quiet -p leasehold-bench -- ${quick:+"$quick"} "$rows/rust"
    say 'Java: building, then measuring'
    gradle_java --quiet ${quick:+-Pquick} -Psamples="$rows/java" :bench:measure >&2
    say 'Instructions: building, then counting'
    scripts/cycles.sh "$rows/cycles" >/dev/null
    python3 bench/report.py ${quick:+"$quick"} --load "$load" --cycles "$rows/cycles" ${json:+--json "$json"} "$rows/rust" "$rows/java"
}

cycles() {
    tools rust java gradle python3 counters
    say 'building, then counting'
    scripts/cycles.sh ${json:+"$json"}
}
