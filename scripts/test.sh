# ./dev test. Sourced by ./dev.

test_all() {
    tools rust rust_sources cxx c_tests counters python3 pip patchelf java gradle maven nginx httpd ip
    need_jdks
    step 'README' tests/readme.py
    step 'dev' tests/dev.sh
    step 'Rust tests' cargo test --workspace --features leasehold/metrics --locked
    step "README's Rust" tests/snippets.py rust
    step 'Rust example on tokio and hyper, against nginx' in_rust_hyper test
    step 'Engine under loom' scripts/loom.sh
    test_watch
    test_c
    test_vanish
    test_java
    test_java_users
    sum_up
}

# in_rust_hyper ARGUMENT...: cargo in the example that is a workspace of its own.
in_rust_hyper() {
    CARGO_TARGET_DIR=$PWD/target/rust-hyper cargo "$1" --locked --manifest-path examples/rust-hyper/Cargo.toml "${@:2}"
}

# Counted in three ways; a machine may not allow all of them.
test_watch() {
    local descriptors
    descriptors=$(ulimit -Hn)
    if strace --output=/dev/null true 2>/dev/null; then
        step 'System calls of the watch' scripts/watch.sh calls
    else
        left_out 'System calls of the watch' 'strace may not trace here'
    fi
    step 'Instructions of the watch' scripts/watch.sh instructions
    if [ "$descriptors" = unlimited ] || [ "$descriptors" -ge 11000 ]; then
        step 'Processor time of the watch' scripts/watch.sh time
    else
        left_out 'Processor time of the watch' "a process may have $descriptors descriptors here; it takes 11000"
    fi
}

# Beside the Java tests of the same, which tell by themselves where they cannot be.
test_vanish() {
    local why
    if why=$(scripts/vanish.sh true 2>&1); then
        step 'A vanished server, Rust' scripts/vanish.sh cargo test --locked -p leasehold --test vanish -- --ignored
        step 'A vanished server, C' test_c_vanish
    else
        left_out 'A vanished server, Rust and C' "no network of its own for it: $why"
    fi
}

# What a user of the Java libraries does: has them in a local Maven repository, this one of the tests' own, and builds against them.
test_java_users() {
    local repository=$PWD/target/java-repository
    step 'Java libraries, installed' install_for_tests "$repository"
    step 'Java examples' tests/examples.sh "$repository"
    if (tools prometheus); then
        step "An example's dashboard, against Prometheus" test_dashboard "$repository"
    else
        left_out "An example's dashboard, against Prometheus" 'no prometheus here, and it could not be installed'
    fi
    step "README's Java, with Maven and Gradle" tests/snippets.py java "$repository"
}

# The example as it is run, packed into a jar, beside a Prometheus that scrapes it.
test_dashboard() {
    local place=$PWD/target/spring-boot3
    rm -rf "$place"
    cp -rT examples/spring-boot3 "$place"
    gradle --no-daemon --quiet "-Dmaven.repo.local=$1" -p "$place" executableJar
    java -cp tests/servers/build/classes/java/main:java-bindings/test-support/build/classes/java/main \
        io.leasehold.tests.servers.WithServer tests/prometheus.py "$place/build/libs/leasehold-example-spring-boot3-executable.jar" '{}'
}

# What Maven itself has loaded into the repository stays there.
install_for_tests() {
    rm -rf "$1/io/leasehold"
    gradle_java --quiet "-Dmaven.repo.local=$1" publishToMavenLocal :tests-servers:classes
}

test_java() {
    local remarks=$PWD/target/java-remarks.txt
    mkdir -p target
    : >"$remarks"
    # What waits for servers and for time leaves its processor to what computes: so there is one more at once than there are of those.
    step 'Java tests' gradle_java --continue --parallel "--max-workers=$(($(nproc) + 1))" -Premarks="$remarks" check
    report_remarks "$remarks"
}

# report_remarks FILE: what the Gradle build wrote there.
report_remarks() {
    local kind what why
    while IFS=$'\t' read -r kind what why; do
        remark "$kind" "$what" "$why"
    done <"$1"
}
