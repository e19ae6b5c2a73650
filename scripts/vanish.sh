#!/usr/bin/env bash
# vanish.sh COMMAND...: runs a command beside a server that can vanish without a word, so that no packet of it arrives any more. The
# command finds the server's address in $VANISH_SERVER and what makes it vanish, a command too, in $VANISH. Needs root and iproute2.
set -euo pipefail

# From the range that is for tests of networks, so that no real host has them.
here=198.18.78.1 there=198.18.78.2 port=7777
network=leasehold-vanish-$$ cable=lhv$$

ip netns add "$network"
server=
end() {
    # It may be gone already, and the rest is to be tidied up all the same.
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -f "/tmp/$network"
    ip link delete "$cable" 2>/dev/null || true
    ip netns delete "$network"
}
trap end EXIT
ip link add "$cable" type veth peer name there netns "$network"
ip address add $here/30 dev "$cable"
ip link set "$cable" up
ip -n "$network" address add $there/30 dev there
ip -n "$network" link set there up

# Listens, and so accepts; it need not say anything.
ip netns exec "$network" python3 -c "
import signal, socket
server = socket.create_server(('$there', $port))
print('listening', flush=True)
signal.pause()" >"/tmp/$network" &
server=$!
until grep -q listening "/tmp/$network"; do
    kill -0 $server
    sleep 0.05
done

VANISH_SERVER=$there:$port VANISH="ip -n $network route add blackhole $here/32" "$@"
