#!/usr/bin/env bash
# Builds the examples against a Leasehold installed under PREFIX, with CMake and by hand, shared and static, and runs each, with nothing to
# tell it where the library is, against a real nginx, whose log tells how many connections it saw.
#
#     try.sh PREFIX
set -euo pipefail
prefix=$1
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig CMAKE_PREFIX_PATH=$prefix
unset LD_LIBRARY_PATH
work=$(mktemp -d)
# nginx serves pages as another user, if it is started as root.
chmod 755 "$work"
trap 'kill "$(cat "$work/nginx.pid" 2>/dev/null)" 2>/dev/null; rm -rf "$work"' EXIT

cmake -S . -B "$work/shared" -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build "$work/shared" >/dev/null
cmake -S . -B "$work/static" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLEASEHOLD_STATIC=ON >/dev/null
# getaddrinfo in a static program wants the C library's shared parts at run time; the linker warns of it.
cmake --build "$work/static" >"$work/static.log" 2>&1 || { cat "$work/static.log"; exit 1; }
mkdir "$work/by-hand"
for example in threads event_loop; do
    # shellcheck disable=SC2046
    cc -std=c11 $example.c http.c -o "$work/by-hand/$example" $(pkg-config --cflags --libs leasehold) -pthread
done

# nginx on a port that was free a moment ago; another try if somebody took it.
mkdir "$work/pages"
echo hello >"$work/pages/index.html"
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    cat >"$work/nginx.conf" <<CONF
pid $work/nginx.pid;
error_log $work/error.log;
worker_processes 1;
events { worker_connections 64; }
http {
    log_format connections '\$connection';
    access_log $work/access.log connections;
    keepalive_timeout 60s 5s;
    keepalive_requests 100;
    server { listen 127.0.0.1:$port; root $work/pages; }
}
CONF
    PATH=$PATH:/usr/sbin nginx -c "$work/nginx.conf" 2>>"$work/start.log" && break
done
# It listens before its parent ends, and writes its number after that.
for _ in $(seq 100); do
    [ ! -s "$work/nginx.pid" ] || break
    sleep 0.1
done
[ -s "$work/nginx.pid" ] || { cat "$work/start.log"; exit 1; }

# try EXAMPLE ARGUMENT...: 400 requests over at most 4 connections at a time, each good for 100.
try() {
    local seen output
    : >"$work/access.log"
    output=$("$@") || true
    seen=$(sort -u "$work/access.log" | wc -l)
    echo "${1#"$work"/}: $output; nginx saw $seen"
    case $output in '400 answered, 0 failed, '*) ;; *) return 1 ;; esac
    # The log is written when a request ends; the connections are all there long before.
    [ "$seen" -le 8 ]
}

for build in shared static by-hand; do
    try "$work/$build/threads" 127.0.0.1 "$port" / 8 50 4
    try "$work/$build/event_loop" 127.0.0.1 "$port" / 400 16 4
done
if ldd "$work/static/threads" 2>/dev/null | grep leasehold; then exit 1; fi
for build in shared by-hand; do ldd "$work/$build/threads" | grep -F "libleasehold.so.0 => $prefix/"; done
