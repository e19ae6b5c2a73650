# ./dev test. Sourced by ./dev.

test_all() {
    tools rust rust_sources cxx c_tests counters python3 java gradle nginx httpd ip
    step 'README' tests/readme.py
    step 'dev' tests/dev.sh
    step 'Rust tests' cargo test --workspace --locked
    step 'Engine under loom' scripts/loom.sh
    step 'Cost of the watch' scripts/watch.sh
    test_c
    step 'Java tests' gradle_java --continue check
    step 'Java examples' tests/examples.sh
    sum_up
}
