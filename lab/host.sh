#!/bin/bash
# PID 1 of a lab host: host.sh NAME HOST_DIR SHARED GUEST SHIM IP GATEWAY, in fresh mount, UTS, IPC, network
# and PID namespaces. It must reap (bash does): libvirt sees the death of a daemonised qemu only once it is
# reaped. Killing this process is the power loss of the host: the kernel kills everything in the namespace.
set -u

start_libvirtd() {
  rm -f /run/libvirtd.pid
  LD_PRELOAD=$1 /usr/sbin/libvirtd --listen --daemon
}
if [ "$1" = start-libvirtd ]; then start_libvirtd "$2"; exit; fi

name=$1 dir=$2 shared=$3 guest=$4 shim=$5 ip=$6 gateway=$7
echo "$name boots"
hostname "$name"

# A host's own files. The mounts exist in its mount namespace only: on the machine itself /srv/shared and
# the others are empty directories, so that nothing reaches a host's files by accident, and any number of
# labs use the same paths. These are the paths which a real host would have.
own() { mkdir -p "$2"; mount --bind "$1" "$2" || exit 1; }
mount -t tmpfs -o mode=755 run /run && mkdir -p /run/lock /run/libvirt /run/boot.d
# All hosts run on one kernel, which has one boot id: each boot of a host gets its own, as containers do it.
cat /proc/sys/kernel/random/uuid >/run/boot-id && mount --bind /run/boot-id /proc/sys/kernel/random/boot_id || exit 1
mount -t sysfs sys /sys # shows this network namespace, and hides the machine's cgroups
own "$dir/etc" /etc/libvirt
own "$dir/lib" /var/lib/libvirt
own "$dir/cache" /var/cache/libvirt
own "$dir/log/libvirt" /var/log/libvirt
own "$dir/drover" /var/lib/drover
own "$shared" /srv/shared
own "$guest" /srv/guest && mount -o remount,bind,ro /srv/guest
mount --bind "$dir/hosts" /etc/hosts
# Where the lab was measured /dev/kvm has no vmx/svm: such a guest "runs" but never boots. All hosts use TCG.
# An empty read-only file and not /dev/null: that still looks usable, and libvirt would probe QEMU at every call,
# which takes define from 0.01 s to 2.3 s.
if [ -e /dev/kvm ]; then
  : >/run/no-kvm
  mount --bind /run/no-kvm /dev/kvm && mount -o remount,bind,ro /dev/kvm
fi

# lab.sh moves the link in.
for _ in $(seq 200); do ip link show eth0 >/dev/null 2>&1 && break; sleep 0.05; done
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge stp_state 0 forward_delay 0 # guests with a network attach here
ip link set eth0 master br0 up && ip addr add "$ip/24" dev br0 && ip link set br0 up || exit 1
ip route add default via "$gateway"
start_libvirtd "$shim"

# boot.d/*.sh are what systemd units would be. SIGUSR1 starts those that do not run, so that a service
# installed on a running host gets the same parent, environment and log as after a boot.
start_services() {
  local script service
  for script in "$dir"/boot.d/*.sh; do
    [ -e "$script" ] || continue
    service=$(basename "$script" .sh)
    kill -0 "$(cat "/run/boot.d/$service.pid" 2>/dev/null)" 2>/dev/null && continue
    setsid bash "$script" >>"$dir/log/$service.log" 2>&1 </dev/null &
    echo $! >"/run/boot.d/$service.pid"
  done
}
trap start_services USR1
# A reboot: services are asked to end, as an init does it; what is left dies with this process, and the machine
# (machine.sh) boots again.
reboot() {
  local pid
  echo "$name reboots"
  for pid in $(cat /run/boot.d/*.pid 2>/dev/null); do kill -TERM -- "-$pid" 2>/dev/null; done
  for _ in $(seq 100); do
    services_run || break
    sleep 0.1
  done
  kill -TERM "$(cat /run/libvirtd.pid 2>/dev/null)" 2>/dev/null
  exit 85
}
services_run() {
  local pid
  for pid in $(cat /run/boot.d/*.pid 2>/dev/null); do kill -0 -- "-$pid" 2>/dev/null && return; done
  return 1
}
trap reboot TERM
start_services
sleep infinity &
forever=$! # start_services changes $!
while :; do wait $forever; done
