#!/usr/bin/env bash
# The engine against its reference model: a million random operations for each kind of pool; and ten million hosts that a pool sees once.
# (`./dev test` does a part of both.)
# LEASEHOLD_MODEL_OPS sets another number; LEASEHOLD_MODEL_SEED repeats the sequence that a failure printed.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export LEASEHOLD_MODEL_OPS=${LEASEHOLD_MODEL_OPS:-1000000}
export CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/model
[ $# -gt 0 ] || set -- engine::tests::random hosts_seen_once_leave_nothing_behind
exec cargo test --locked --release --package leasehold --lib --test hosts -- "$@"
