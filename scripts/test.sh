# ./dev test. Sourced by ./dev.

test_all() {
    tools rust rust_sources cxx c_tests java gradle nginx httpd
    step 'README' tests/readme.py
    step 'Rust tests' cargo test --workspace --locked
    step 'Engine under loom' scripts/loom.sh
    test_c
    step 'Java tests' gradle_java --continue check
    step 'Java examples' tests/examples.sh
    sum_up
}
