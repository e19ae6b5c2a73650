# ./dev check: what can be said about the code without running it. Sourced by ./dev.

check() {
    tools rust cxx java gradle shellcheck python3 git
    step 'shell scripts' check_scripts
    step 'Python scripts' check_python
    step 'imports run one way' check_imports
    if command -v cargo-fmt >/dev/null; then
        step 'formatting' check_formatting
    else
        left_out 'formatting' 'no rustfmt beside this cargo'
    fi
    if command -v cargo-clippy >/dev/null; then
        step 'clippy' cargo clippy --workspace --all-targets --features leasehold/metrics --locked --quiet -- -D warnings
        step 'clippy, the example on hyper' in_rust_hyper clippy --all-targets --quiet -- -D warnings
    else
        left_out 'clippy' 'no clippy beside this cargo'
        step 'compiler warnings' env RUSTFLAGS='-D warnings' cargo check --workspace --all-targets --features leasehold/metrics --locked --quiet
    fi
    step 'the crate without its features' check_features
    step 'Rust documentation' env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --features leasehold/metrics --locked --quiet
    step 'crate package' cargo package -p leasehold --locked --allow-dirty --quiet
    step 'C header' check_c_header
    step 'C ABI listing' check_c_abi
    check_dependencies
    step 'Java lints and documentation' gradle_java assemble testClasses java8Only
    step 'references among Java classes run one way' check_java_circles
    step 'what shipped libraries must be' check_gates
    step 'deliberate mistakes apply' check_mistakes
    sum_up
}

# Each feature may be left out or be the only one, of which the tests of what it takes then say nothing.
check_features() {
    local features
    export CARGO_TARGET_DIR=target/features RUSTFLAGS='-D warnings'
    for features in log watch metrics; do
        cargo check -p leasehold --lib --locked --quiet --no-default-features --features "$features"
    done
    cargo test -p leasehold --locked --quiet --no-default-features --test pool --test grants
}

check_formatting() {
    cargo fmt --all --check
    cargo fmt --manifest-path examples/rust-hyper/Cargo.toml --check
}

# The very files that are installed and packed, and that the gates are closed to others.
check_gates() {
    local library
    tests/gates.sh
    build_c_library
    scripts/gates.sh "$c_library/libleasehold_c.so" lh_
    for library in java-bindings/leasehold/build/native/META-INF/native/*/*.so; do
        scripts/gates.sh "$library" 'Java_io_leasehold_|JNI_On'
    done
}

# So that whoever changes what one is made in mends it at once.
check_mistakes() {
    local patch failed=0
    for patch in rust-core/tests/mistakes/*.patch; do
        git apply --recount --check "$patch" || failed=1
    done
    return $failed
}

# The check is seen to notice each form of a circle before it is believed.
check_imports() {
    tests/imports.py
    scripts/imports.py rust-core c-header java-bindings/native
}

# The classes are those that the step before has built. The check is seen to notice each form of a circle, and references to layers further
# up, before it is believed.
check_java_circles() {
    tests/java_circles.py
    scripts/java_circles.py --layers java-bindings/layers.txt java-bindings/leasehold*/build/classes/java/main \
        java-bindings/leasehold/build/classes/java/jfr
}

# Those of ./dev are read through it; the others stand alone.
check_scripts() {
    local alone
    mapfile -t alone < <(grep -rl --include='*.sh' --exclude-dir=build '^#!' scripts tests examples)
    shellcheck --external-sources dev .ci/run "${alone[@]}"
}

# What no test of ./dev test runs, the bench's report above all, can be read at least.
check_python() {
    local scripts
    mapfile -t scripts < <(find bench scripts tests examples -name '*.py' -not -path '*/build/*' -not -path '*/target/*')
    python3 - "${scripts[@]}" <<'PYTHON'
import sys
for name in sys.argv[1:]:
    with open(name, encoding='utf-8') as file:
        compile(file.read(), name, 'exec')
PYTHON
}

# Licences and sources of all crates, and known security advisories, by cargo-deny as deny.toml says.
check_dependencies() {
    if ! get_cargo_deny; then
        left_out 'licences and advisories' 'no cargo-deny, and it could not be built with this cargo'
        return
    fi
    step 'licences and sources' cargo deny --locked --log-level warn check licenses bans sources
    if cargo deny --locked fetch db >/dev/null 2>&1; then
        step 'advisories' cargo deny --locked --log-level warn check --disable-fetch advisories
    else
        left_out 'advisories' 'the RustSec database cannot be reached from here'
    fi
}

# The PATH's, else one built once and kept in the user's cache: Debian has no package of it.
get_cargo_deny() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/leasehold-tools
    PATH=$PATH:$cache/bin
    ! command -v cargo-deny >/dev/null || return 0
    say 'building cargo-deny (once; about four minutes)'
    cargo install --locked --quiet --root "$cache" cargo-deny
}
