# ./dev check: what can be said about the code without running it. Sourced by ./dev.

check() {
    tools rust java gradle shellcheck
    step 'shell scripts' shellcheck --external-sources dev .ci/run
    if command -v cargo-fmt >/dev/null; then
        step 'formatting' cargo fmt --all --check
    else
        left_out 'formatting' 'no rustfmt beside this cargo'
    fi
    if command -v cargo-clippy >/dev/null; then
        step 'clippy' cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
    else
        left_out 'clippy' 'no clippy beside this cargo'
        step 'compiler warnings' env RUSTFLAGS='-D warnings' cargo check --workspace --all-targets --locked --quiet
    fi
    step 'Rust documentation' env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
    step 'crate package' cargo package -p leasehold --locked --allow-dirty --quiet
    check_dependencies
    step 'Java lints and documentation' gradle_java assemble testClasses javadoc
    sum_up
}

# Licences and sources of all crates, and known security advisories, by cargo-deny as deny.toml says.
check_dependencies() {
    if ! command -v cargo-deny >/dev/null; then
        left_out 'licences and advisories' 'no cargo-deny; "cargo install --locked cargo-deny" gives it'
        return
    fi
    step 'licences and sources' cargo deny --locked --log-level warn check licenses bans sources
    if cargo deny --locked fetch db >/dev/null 2>&1; then
        step 'advisories' cargo deny --locked --log-level warn check --disable-fetch advisories
    else
        left_out 'advisories' 'the RustSec database could not be fetched'
    fi
}

# Gradle as ./dev always runs it: no daemon is left behind, and cargo is the one that was found or installed.
gradle_java() {
    CARGO=$(command -v cargo) gradle --no-daemon -p java-bindings "$@"
}
