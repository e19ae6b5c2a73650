#!/usr/bin/env bash
# Runs the Java examples as a user of them would: outside the build, with Leasehold by its coordinates from a local Maven repository, which
# has it already. The server is a real nginx, and sees a single connection for all requests of an example.
#
#     examples.sh REPOSITORY
set -euo pipefail
repository=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gradle=(gradle --no-daemon --quiet "-Dmaven.repo.local=$repository")

# run EXAMPLE EXPECTED [ONCE]: the example, by its task "run" or TASK, prints the line three times, and once something in which the other
# is.
run() {
    cp -rT "examples/$1" "$work/$1"
    java -cp tests/servers/build/classes/java/main:java-bindings/test-support/build/classes/java/main \
        io.leasehold.tests.servers.WithServer "${gradle[@]}" -p "$work/$1" "${TASK:-run}" '-Purl={}' | tee "$work/output"
    [ "$(grep -cxF "$2" "$work/output")" = 3 ] || {
        echo "examples/$1 did not print '$2' three times" >&2
        exit 1
    }
    [ $# = 2 ] || [ "$(grep -cF "$3" "$work/output")" = 1 ] || {
        echo "examples/$1 did not print '$3' once" >&2
        exit 1
    }
}

run sockets 'HTTP/1.1 200 OK, 6 bytes'
run httpclient3 'HTTP/1.1 200 OK, 6 bytes'
run httpclient4 'HTTP/1.1 200 OK, 6 bytes'
run httpclient5 'HTTP/1.1 200 OK, 6 bytes'
TASK=runAsync run httpclient5 'HTTP/1.1 200 OK, 6 bytes'
run spring-resttemplate '200 OK, 6 bytes'
# Boot's actuator is asked over HTTP, and tells of the connection that the three requests shared.
run spring-boot3 '200 OK, 6 bytes' '"statistic":"VALUE","value":1.0'
