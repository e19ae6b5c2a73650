#!/usr/bin/env bash
# Runs the example for HttpClient 3.1 as a user of it would: outside the build, with Leasehold by its coordinates from a local Maven
# repository. The repository is one of the test's own. The server is a real nginx, and sees a single connection for all requests.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO=${CARGO:-$(command -v cargo)}
gradle=(gradle --no-daemon --quiet "-Dmaven.repo.local=$work/repository")

"${gradle[@]}" -p java-bindings publishToMavenLocal :tests-servers:classes

cp -r examples/httpclient3 "$work/example"
java -cp tests/servers/build/classes/java/main:java-bindings/test-support/build/classes/java/main \
    io.leasehold.tests.servers.WithServer "${gradle[@]}" -p "$work/example" run '-Purl={}' | tee "$work/output"

expected='HTTP/1.1 200 OK, 6 bytes'
[ "$(grep -cxF "$expected" "$work/output")" = 3 ] || {
    echo "the example did not print '$expected' three times" >&2
    exit 1
}
