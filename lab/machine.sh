#!/bin/bash
# The machine around a lab host: machine.sh NAME HOST_DIR ... (the arguments of host.sh). It runs the host in
# fresh namespaces, and when the host reboots, boots it again: what ends a PID namespace can't start the next.
set -u
HERE=$(dirname "$(readlink -f "$0")")
name=$1 dir=$2

unshare -m -u -i -n -p -f --mount-proc --propagation private --kill-child "$HERE/host.sh" "$@" &
echo $! >"$dir/unshare.pid"
wait $!
# 85: the host has rebooted. A power loss has no exit code of its own, and a machine whose power was cut
# meanwhile (`crash`, `down`, `wipe`: no init.pid) stays off.
[ $? = 85 ] || exit
exec "$HERE/lab.sh" power-on "$name"
