# ./dev test. Sourced by ./dev.

test_all() {
    tools rust java gradle nginx httpd
    step 'Rust tests' cargo test --workspace --locked
    step 'Java tests' gradle_java --continue check
    sum_up
}
