#!/bin/bash
# PID 1 of the lab's storage: nas-machine.sh DIR IP, in fresh mount, UTS, IPC, network and PID namespaces. Killing it is
# the power loss of the storage. What it writes is in DIR; the volume's files are plainly in DIR/brick.
set -u
dir=$1 ip=$2
hostname nas
own() { mkdir -p "$2"; mount --bind "$1" "$2" || exit 1; }
mount -t tmpfs -o mode=755 run /run
own "$dir/state" /var/lib/glusterd
own "$dir/log" /var/log/glusterfs
for _ in $(seq 200); do ip link show eth0 >/dev/null 2>&1 && break; sleep 0.05; done # lab.sh moves the link in
ip link set lo up
ip addr add "$ip/24" dev eth0 && ip link set eth0 up || exit 1

glusterd -N &
gluster() { command gluster --mode=script "$@"; }
for _ in $(seq 300); do gluster volume list >/dev/null 2>&1 && break; sleep 0.1; done
if ! gluster volume info nas >/dev/null 2>&1; then
  gluster volume create nas "$ip:$dir/brick" force || exit 1
  # What was written is seen by the others at once: past all caches, as is advised for the disks of guests (group virt).
  for option in 'performance.write-behind off' 'performance.quick-read off' 'performance.read-ahead off' \
    'performance.io-cache off' 'performance.open-behind off' 'performance.stat-prefetch off' \
    'performance.strict-o-direct on' 'network.remote-dio off' \
    'network.ping-timeout 5' 'server.tcp-user-timeout 10' 'server.keepalive-time 5' 'server.keepalive-interval 1'; do
    gluster volume set nas $option >/dev/null || exit 1
  done
fi
gluster volume start nas force || exit 1
: >"$dir/ready"
sleep infinity &
forever=$!
while :; do wait $forever; done
