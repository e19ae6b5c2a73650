#!/usr/bin/env bash
# Crowds of threads on small pools under shuttle's random schedules, those of the engine and those of the pool on it.
# SHUTTLE_ITERATIONS sets how many schedules each kind of crowd gets, a thousand twice over by default.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/shuttle
export RUSTFLAGS="--cfg shuttle -C debug-assertions=on"
export CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
exec cargo test --locked --release --package leasehold --lib --test crowd -- "${@:-crowd}"
