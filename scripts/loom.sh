#!/usr/bin/env bash
# Every interleaving of small scenarios on the engine, and of hand-overs through the whole Rust face, under loom. LOOM_MAX_PREEMPTIONS=3
# looks deeper than the default of 2; arguments go to the test program: names of scenarios, for example.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/loom
export RUSTFLAGS="--cfg loom -C debug-assertions=on"
export CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
[ $# -gt 0 ] || set -- engine::tests::loom request::handover
exec cargo test --locked --release --package leasehold --lib -- "$@"
