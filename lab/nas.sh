# Sourced by lab.sh: storage over the network, a GlusterFS volume that every host mounts on /srv/nas. Its server is a
# machine of its own (nas-machine.sh), so that labs have theirs side by side and killing its PID 1 ends all of it.

nas_help='lab.sh nas start       the server, and /srv/nas in each host that is up; the others mount it when they boot
lab.sh nas crash       its power goes: all its processes die at once; `nas start` brings it back
lab.sh nas cut | heal  its network is cut and restored'

NAS=$LAB/nas
NAS_IP=$NET.200
NAS_VETH=drv${K}nas
nas_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$NAS/init.pid" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}
nas() {
  case ${1:-help} in
    start) start_nas ;;
    crash) crash_nas ;;
    cut) ip link set "$NAS_VETH" down || die 'the storage is not up' ;;
    heal) ip link set "$NAS_VETH" up || die 'the storage is not up' ;;
    help) echo "$nas_help" ;;
    *) usage "$nas_help" ;;
  esac
}
start_nas() {
  local i child=''
  command -v glusterd >/dev/null && command -v glusterfs >/dev/null ||
    unable 'storage over the network needs: apt-get install --no-install-recommends glusterfs-server glusterfs-client'
  [ -e /dev/fuse ] || unable 'storage over the network needs FUSE, and this kernel has no /dev/fuse'
  [ -e "/sys/class/net/$BRIDGE" ] || die "the lab is not up; start it before: $0 up"
  if ! nas_pid >/dev/null; then
    mkdir -p "$NAS"/{state,log,brick}
    rm -f "$NAS/ready" "$NAS/unshare.pid"
    ip link del "$NAS_VETH" 2>/dev/null
    ip link add "$NAS_VETH" type veth peer name "drv${K}pnas" && ip link set "$NAS_VETH" master "$BRIDGE" up ||
      die 'cannot make the network link of the storage'
    env -i PATH="$PATH:/usr/sbin:/sbin" setsid unshare -m -u -i -n -p -f --mount-proc --propagation private --kill-child \
      "$HERE/nas-machine.sh" "$NAS" "$NAS_IP" >>"$NAS/log/init.log" 2>&1 </dev/null 9>&- &
    echo $! >"$NAS/unshare.pid"
    nas_child() {
      local parent; parent=$(cat "$NAS/unshare.pid")
      child=$(tr -d ' ' 2>/dev/null <"/proc/$parent/task/$parent/children") && [ -n "$child" ]
    }
    until_ok 10 "the storage does not start (see $NAS/log/init.log)" nas_child
    echo "$child $(start_time "$child")" >"$NAS/init.pid"
    ip link set "drv${K}pnas" netns "$child" name eth0 || die "the storage died at its start (see $NAS/log/init.log)"
    nas_ready() { [ -e "$NAS/ready" ] || ! nas_pid >/dev/null; }
    until_ok 60 "the storage does not serve (see $NAS/log/)" nas_ready
    nas_pid >/dev/null || die "the storage ended: $(tail -1 "$NAS/log/init.log")"
  fi
  for i in $(known_hosts); do nas_client "$i"; done
  for i in $(known_hosts); do wait_nas "$i"; done
}
# A service of the host, as a mount in its fstab would be: it is mounted again at every boot.
nas_client() {
  local script; script=$(host_dir "$1")/boot.d/nas.sh
  printf '#!/bin/bash\nmkdir -p /srv/nas\nexec glusterfs -N --log-file=/var/log/libvirt/nas.log --volfile-server=%s --volfile-id=nas /srv/nas\n' \
    "$NAS_IP" >"$script"
  local pid; pid=$(host_pid "$1") || return 0
  kill -USR1 "$pid"
}
# Nobody waits for a storage that is off, or that the host has never had.
wait_nas() {
  [ -e "$(host_dir "$1")/boot.d/nas.sh" ] && nas_pid >/dev/null && host_pid "$1" >/dev/null || return 0
  mounted() { inside "$1" grep -q ' /srv/nas fuse.glusterfs ' /proc/mounts; }
  until_ok 30 "host$1 does not mount its storage (see $(host_dir "$1")/log/libvirt/nas.log)" mounted "$1"
}
crash_nas() {
  local pid; pid=$(nas_pid) || { rm -f "$NAS/init.pid"; return 0; }
  kill -9 "$pid"
  nas_gone() { [ ! -e "/proc/$1" ]; }
  until_ok 20 'the storage does not die' nas_gone "$pid"
  rm -f "$NAS/init.pid"
  ip link del "$NAS_VETH" 2>/dev/null
  return 0
}
