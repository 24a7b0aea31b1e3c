#!/bin/bash
# lab.sh - several real libvirt/QEMU hosts on one machine, and the ways in which hosts fail.
#
#   up [N]                     start host1..hostN (default 3); hosts that run already are left alone
#   down                       power off every host and remove the network; disks and definitions stay
#   wipe                       down, then delete everything the lab has written
#   status [--json]            every host: up or not, its URI, PID 1, libvirtd, link
#   crash HOST | boot HOST     the power goes: all its processes die at once | it comes back
#   reboot HOST                it goes down and comes back by itself, as `kill -TERM 1` within it does
#   libvirtd HOST start|stop|kill      only the daemon; guests go on
#   partition HOST | heal HOST         cut or restore its network; guests and libvirtd go on
#   link HOST RATE|off         limit its link in both directions, for example 20mbit
#   exec HOST CMD...           run CMD inside the host (its files, network, processes)
#   worker HOST [--env K=V].. [--cwd DIR] -- CMD...   CMD starts at every boot of the host, and now
#   worker HOST start|stop|kill|remove
#   bmc HOST start|stop|...    its BMC, which really has its power: `lab.sh bmc help`
#   nas start|crash|cut|heal   storage over the network, /srv/nas in each host: `lab.sh nas help`
#   guest ...                  the counting guest: `lab.sh guest help`
#
# HOST is host1..host9 or 1..9. hostI has the address 10.77.K.(10+I) and the URI qemu+tcp://ADDRESS/system;
# this machine itself is 10.77.K.1.
#   DROVER_LAB_DIR   what the lab writes (default /var/lib/drover-lab)
#   DROVER_LAB_NET   K, 0..255 (default 0): labs with different K and directory run side by side
set -u
HERE=$(dirname "$(readlink -f "$0")")
LAB=${DROVER_LAB_DIR:-/var/lib/drover-lab}
K=${DROVER_LAB_NET:-$(cat "$LAB/net" 2>/dev/null || echo 0)}
BRIDGE=drlab$K
NET=10.77.$K
SHARED=$LAB/shared

die() { echo "lab: $*" >&2; exit 1; }
usage() { echo "lab: $*" >&2; exit 2; }
unable() { echo "lab: $*" >&2; exit 3; } # this machine cannot have a lab as it is
# until SECONDS WHAT CMD...: every wait in the lab has an end, and says what it waited for.
until_ok() {
  local limit=$1 what=$2 end=$((SECONDS + $1)); shift 2
  until "$@"; do
    [ $SECONDS -lt "$end" ] || die "$what: not within $limit s"
    sleep 0.05
  done
}

check_machine() {
  [ "$(uname -s)" = Linux ] || unable "the lab needs Linux: it is made of namespaces (this is $(uname -s))"
  [ "$(id -u)" = 0 ] || unable "the lab needs root: it makes namespaces, mounts and network links. Try: sudo $0"
  local need missing='' pair
  need="libvirtd:libvirt-daemon virsh:libvirt-clients qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils
    ip:iproute2 tc:iproute2 gcc:gcc cpio:cpio unshare:util-linux nsenter:util-linux flock:util-linux"
  for pair in $need; do
    command -v "${pair%%:*}" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null ||
      missing="$missing ${pair#*:}"
  done
  [ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
  [ -e /usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so ] ||
    missing="$missing libvirt-daemon-driver-qemu"
  [ -z "$missing" ] || unable "programs are missing. On Debian or Ubuntu:
  apt-get install --no-install-recommends $(echo "$missing" | xargs -n1 | sort -u | xargs)"
  [[ $K =~ ^[0-9]+$ && $K -le 255 ]] || usage "DROVER_LAB_NET must be 0..255, not '$K'"
}

# ---- what a host is ------------------------------------------------------------------------------------
host_no() {
  local i=${1:-}; i=${i#host}
  [[ $i =~ ^[1-9]$ ]] || usage "not a host: '${1:-}' (host1..host9)"
  echo "$i"
}
host_dir() { echo "$LAB/hosts/host$1"; }
host_ip() { echo "$NET.$((10 + $1))"; }
host_uri() { echo "qemu+tcp://$(host_ip "$1")/system"; }
veth() { echo "drv${K}h$1"; }
start_time() { awk '{ print $22 }' "/proc/$1/stat" 2>/dev/null; }
# The PID of the host's PID 1 as this machine sees it. The start time guards against a reused PID.
host_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$(host_dir "$1")/init.pid" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}
known_hosts() { local d; for d in "$LAB"/hosts/host[1-9]; do [ -d "$d" ] && echo "${d##*host}"; done; }
inside() {
  local pid; pid=$(host_pid "$1") || die "host$1 is not up"; shift
  nsenter -t "$pid" -m -u -i -n -p -- "$@"
}
libvirtd_pid() { inside "$1" sh -c 'p=$(cat /run/libvirtd.pid 2>/dev/null) && kill -0 "$p" 2>/dev/null && echo "$p"'; }
answers() { timeout 5 virsh -c "$(host_uri "$1")" version >/dev/null 2>&1; }
wait_answers() { until_ok 30 "libvirtd of host$1 does not answer (see $(host_dir "$1")/log/)" answers "$1"; }

# libvirt believes that a disk is shared, and migrates live, only when statfs() says NFS, CephFS and the
# like. /srv/shared is shared by all hosts, but is a bind mount: libvirtd gets a preload that says NFS.
build_shim() {
  [ -s "$LAB/shim.so" ] && return
  gcc -shared -fPIC -O1 -o "$LAB/shim.so.new" -x c - -ldl <<'C' || die 'cannot compile the statfs shim'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/vfs.h>
static int shared(const char *p) {
  return !strncmp(p, "/srv/shared", 11) && (p[11] == 0 || p[11] == '/');
}
#define FAKE(name) int name(const char *p, struct name *b) { \
  int (*real)(const char *, struct name *) = dlsym(RTLD_NEXT, #name); \
  int r = real(p, b); \
  if (!r && shared(p)) b->f_type = 0x6969; \
  return r; }
FAKE(statfs)
FAKE(statfs64)
C
  mv "$LAB/shim.so.new" "$LAB/shim.so"
}

configure_host() {
  local i=$1 d j; d=$(host_dir "$1")
  mkdir -p "$d"/{etc,lib/images,cache,drover,boot.d,log/libvirt/qemu}
  [ -s "$d/uuid" ] || cat /proc/sys/kernel/random/uuid >"$d/uuid"
  cat >"$d/etc/libvirtd.conf" <<C
listen_tls = 0
listen_tcp = 1
listen_addr = "0.0.0.0"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "$(cat "$d/uuid")"
keepalive_interval = 2
keepalive_count = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
C
  # All hosts share one kernel without systemd: no cgroups, no per-guest mount namespace, files stay root's.
  cat >"$d/etc/qemu.conf" <<C
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
keepalive_interval = 2
keepalive_count = 3
C
  { echo '127.0.0.1 localhost'; for j in 1 2 3 4 5 6 7 8 9; do echo "$(host_ip $j) host$j"; done; } >"$d/hosts"
}

# ---- power ----------------------------------------------------------------------------------------------
boot_host() {
  local i=$1 d ip parent child=''; d=$(host_dir "$1") ip=$(host_ip "$1")
  host_pid "$i" >/dev/null && return
  rm -f "$d/unshare.pid"
  configure_host "$i"
  ip link del "$(veth "$i")" 2>/dev/null
  # The same MAC at every boot, as hardware has it: others would send to the old one until their ARP entry
  # of the host expires, half a minute later.
  ip link add "$(veth "$i")" type veth peer name "drv${K}p$i" address "$(printf '52:54:4b:00:%02x:%02x' "$K" "$i")" &&
    ip link set "$(veth "$i")" master "$BRIDGE" up ||
    die "cannot make the network link of host$i"
  # The lock of this script (fd 9) must not live on in the host, nor must the caller's pipes and environment.
  # No $(..) in this command: it would run in the background process and be taken for its child below.
  env -i PATH="$PATH:/usr/sbin:/sbin" HOME="${HOME:-/root}" XDG_CACHE_HOME="${XDG_CACHE_HOME:-}" \
    DROVER_LAB_DIR="$LAB" DROVER_LAB_NET="$K" setsid "$HERE/machine.sh" "host$i" "$d" "$SHARED" "$GUEST" \
    "$LAB/shim.so" "$ip" "$NET.1" >>"$d/log/init.log" 2>&1 </dev/null 9>&- &
  has_child() {
    parent=$(cat "$d/unshare.pid" 2>/dev/null) && [ -n "$parent" ] &&
      child=$(tr -d ' ' 2>/dev/null <"/proc/$parent/task/$parent/children") && [ -n "$child" ]
  }
  until_ok 10 "host$i does not start (see $d/log/init.log)" has_child
  echo "$child $(start_time "$child")" >"$d/init.pid"
  # unshare(1) forks after unsharing, so the child's network namespace is the host's.
  ip link set "drv${K}p$i" netns "$child" name eth0 || die "host$i died at boot (see $d/log/init.log)"
}
crash_host() {
  local pid; pid=$(host_pid "$1") || { rm -f "$(host_dir "$1")/init.pid"; return 0; }
  kill -9 "$pid"
  gone() { [ ! -e "/proc/$1" ]; }
  until_ok 20 "host$1 does not die" gone "$pid"
  rm -f "$(host_dir "$1")/init.pid"
  ip link del "$(veth "$1")" 2>/dev/null
  return 0
}
network_up() {
  if [ -e "/sys/class/net/$BRIDGE" ]; then
    local owner; owner=$(cat "/sys/class/net/$BRIDGE/ifalias")
    [ "$owner" = "$LAB" ] || die "network $K is used by the lab in $owner; choose another DROVER_LAB_NET"
    return
  fi
  ip link add "$BRIDGE" type bridge stp_state 0 forward_delay 0 && ip link set "$BRIDGE" alias "$LAB" &&
    ip addr add "$NET.1/24" dev "$BRIDGE" && ip link set "$BRIDGE" up || die "cannot make bridge $BRIDGE"
}
up() {
  local n=${1:-3} i
  [[ $n =~ ^[1-9]$ ]] || usage "up takes 1..9 hosts, not '$n'"
  [ "$(cat "$LAB/net" 2>/dev/null || echo "$K")" = "$K" ] ||
    die "$LAB was made with DROVER_LAB_NET=$(cat "$LAB/net"); use that, or wipe it first"
  mkdir -p "$LAB/hosts" "$SHARED" && echo "$K" >"$LAB/net" || die "cannot write $LAB"
  build_guest
  build_shim
  network_up
  for i in $(seq "$n"); do boot_host "$i"; done
  for i in $(seq "$n"); do wait_answers "$i"; done
  status
}
boot() {
  [ -d "$(host_dir "$1")" ] || die "host$1 is not in this lab; see: $0 status"
  build_guest; network_up; boot_host "$1"; wait_answers "$1"; wait_nas "$1"
}
# What the machine does when its host has rebooted: on again, but not where the power was cut meanwhile.
power_on() { [ ! -e "$(host_dir "$1")/init.pid" ] || boot_host "$1"; }
down() {
  local i
  for i in $(known_hosts); do stop_bmc "$i"; crash_host "$i"; done
  crash_nas
  [ "$(cat "/sys/class/net/$BRIDGE/ifalias" 2>/dev/null)" != "$LAB" ] || ip link del "$BRIDGE"
}
wipe() {
  [ -e "$LAB/net" ] || { echo "lab: nothing to wipe in $LAB"; return; }
  down
  rm -rf "$LAB/hosts" "$SHARED" "$NAS" "$LAB/shim.so" "$LAB/net"
}

# ---- faults ----------------------------------------------------------------------------------------------
libvirtd() {
  local i=$1
  no_libvirtd() { ! libvirtd_pid "$1" >/dev/null; }
  case ${2:-} in
    start) libvirtd_pid "$i" >/dev/null || inside "$i" "$HERE/host.sh" start-libvirtd "$LAB/shim.so"; wait_answers "$i" ;;
    stop | kill)
      local signal=TERM pid; [ "$2" = kill ] && signal=KILL
      pid=$(libvirtd_pid "$i") || return 0
      inside "$i" kill -$signal "$pid"
      until_ok 20 "libvirtd of host$i does not end (see $(host_dir "$i")/log/libvirt/libvirtd.log)" no_libvirtd "$i" ;;
    *) usage 'libvirtd HOST start|stop|kill' ;;
  esac
}
limit_link() {
  local i=$1 rate=${2:-}; host_pid "$i" >/dev/null || die "host$i is not up"
  [[ $rate = off || $rate =~ ^[0-9]+[kmg]?bit$ ]] || usage 'link HOST RATE|off, with a RATE like 20mbit'
  tc qdisc del dev "$(veth "$i")" root 2>/dev/null
  inside "$i" tc qdisc del dev eth0 root 2>/dev/null
  [ "$rate" != off ] || return 0
  tc qdisc add dev "$(veth "$i")" root tbf rate "$rate" burst 128kb latency 50ms &&
    inside "$i" tc qdisc add dev eth0 root tbf rate "$rate" burst 128kb latency 50ms
}
link_state() {
  ip link show "$(veth "$1")" 2>/dev/null | grep -q '[<,]UP[,>]' || { echo down; return; }
  tc qdisc show dev "$(veth "$1")" | sed -n 's/.* rate \([^ ]*\) .*/\1/p' | grep . || echo up
}
status() {
  local i pid daemon link comma=''
  [ "${1:-}" = --json ] && printf '['
  for i in $(known_hosts); do
    daemon='' link=down
    if pid=$(host_pid "$i"); then daemon=$(libvirtd_pid "$i"); link=$(link_state "$i"); else pid=''; fi
    if [ "${1:-}" = --json ]; then
      printf '%s\n  {"name":"host%d","up":%s,"uri":"%s","pid":%s,"libvirtd":%s,"link":"%s"}' "$comma" "$i" \
        "$([ -n "$pid" ] && echo true || echo false)" "$(host_uri "$i")" "${pid:-null}" "${daemon:-null}" "$link"
      comma=,
    elif [ -n "$pid" ]; then echo "host$i up   $(host_uri "$i") pid=$pid libvirtd=${daemon:-dead} link=$link"
    else echo "host$i down $(host_uri "$i")"; fi
  done
  [ "${1:-}" != --json ] || printf '\n]\n'
}
locked() { mkdir -p "$LAB"; exec 9>"$LAB/lock"; flock -w 180 9 || die "another lab command holds $LAB/lock"; "$@"; }

. "$HERE/guest.sh"
. "$HERE/worker.sh"
. "$HERE/bmc.sh"
. "$HERE/nas.sh"
command=${1:-help}; shift
case $command in help | -h | --help) sed -n '2,/^set -u/{/^set -u/d; s/^# \?//; p}' "$0"; exit ;; esac
check_machine
case $command in
  up | down | wipe) locked "$command" "$@" ;;
  status) status "$@" ;;
  power-on) locked power_on "$(host_no "${1:-}")" ;;
  crash | boot | reboot | libvirtd | partition | heal | link | exec | worker) i=$(host_no "${1:-}") || exit; shift ;;&
  crash) locked crash_host "$i" ;;
  boot) locked boot "$i" ;;
  reboot) inside "$i" kill -TERM 1 ;;
  libvirtd) libvirtd "$i" "$@" ;;
  partition) ip link set "$(veth "$i")" down || die "host$i is not up" ;;
  heal) ip link set "$(veth "$i")" up || die "host$i is not up" ;;
  link) limit_link "$i" "$@" ;;
  exec) inside "$i" "$@" ;;
  worker) worker "$i" "$@" ;;
  bmc) bmc "$@" ;;
  nas) if [ "${1:-}" = start ]; then locked nas "$@"; else nas "$@"; fi ;;
  guest) guest "$@" ;;
  *) usage "no such command: $command (try: $0 help)" ;;
esac
