# Sourced by lab.sh: builds the counting guest (guest-init.sh) from Debian packages, and makes guests of it
# as an operator would have had them before drover: a disk, a definition, started.

CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/drover/guest
# All labs of this machine share the build; a change of its sources gives it another place, so that a
# running lab keeps the one it has.
GUEST=$CACHE/$(cat "$HERE/guest.sh" "$HERE/guest-init.sh" | sha256sum | cut -c1-12)
MODULES="drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev
  drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci net/core/failover drivers/net/net_failover
  drivers/block/virtio_blk drivers/net/virtio_net drivers/virtio/virtio_balloon drivers/char/virtio_console
  drivers/input/evdev drivers/acpi/button" # in the order in which they load

guest_help() {
  cat <<'T'
guest create NAME HOST [disk=shared|local|nas|none] [mem=96] [dirty=MIB] [ip=A.B.C.D] [start=yes|no]
                      a disk, a definition (direct kernel boot), started
guest fleet [N]       N guests (default 4) over the hosts that are up, on shared and local disks by turns
guest remove NAME     stops it, removes its definitions, disks and logs from all hosts that are up
guest tell NAME HOST WORD...    writes to its serial console: dirty MIB | poweroff | reboot
guest image           makes the bootable image of the guest if need be, prints its path
T
}

# with_build CMD: builds under a lock, since several labs may come up at once.
with_build() ( mkdir -p "$CACHE" && exec 8>"$CACHE/lock" && flock -w 300 8 || die "another build holds $CACHE/lock"; "$@" )
build_guest() { [ -d "$GUEST" ] || with_build build_kernel || exit 1; }

# fetch PACKAGE...: downloads and unpacks Debian packages into $CACHE/root without installing them.
fetch() {
  local package deb
  mkdir -p "$CACHE/root" "$CACHE/deb"
  for package in "$@"; do
    [ ! -e "$CACHE/deb/$package.done" ] || continue
    (cd "$CACHE/deb" && apt-get download -q -o APT::Sandbox::User=root "$package" >&2) ||
      die "cannot download $package for the guest; is the package list fresh? Try: apt-get update"
    for deb in "$CACHE/deb/$package"_*.deb; do dpkg-deb -x "$deb" "$CACHE/root" && rm "$deb" || die "cannot unpack $deb"; done
    touch "$CACHE/deb/$package.done"
  done
}

build_kernel() {
  [ ! -d "$GUEST" ] || return 0 # someone else built it while we waited for the lock
  local new=$CACHE/new kernel modules module
  kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -1)
  [ -n "$kernel" ] || die 'apt knows no linux-image-cloud-amd64. Try: apt-get update (the guest needs Debian packages)'
  fetch "$kernel" busybox-static
  modules=$CACHE/root/lib/modules/${kernel#linux-image-}/kernel
  rm -rf "$new" && mkdir -p "$new"/root/{bin,dev,proc,sys,mod,tmp,etc/acpi/PWRF} || die "cannot write $new"
  cp "$CACHE/root/bin/busybox" "$new/root/bin/" && ln -s busybox "$new/root/bin/sh"
  cp "$HERE/guest-init.sh" "$new/root/init" && chmod +x "$new/root/init"
  for module in $MODULES; do
    cp "$modules/$module.ko" "$new/root/mod/" || die "the guest's kernel has no module $module"
    basename "$module" >>"$new/root/mod/order"
  done
  printf '#!/bin/sh\necho GUEST power button >/dev/ttyS0\nsync\npoweroff -f\n' >"$new/root/etc/acpi/PWRF/00000080"
  chmod +x "$new/root/etc/acpi/PWRF/00000080"
  (cd "$new/root" && find . | cpio -o -H newc --quiet | gzip -9) >"$new/initrd.gz" &&
    cp "$CACHE/root/boot/vmlinuz-${kernel#linux-image-}" "$new/vmlinuz" && rm -r "$new/root" && mv "$new" "$GUEST" ||
    die 'cannot build the guest'
}

# The same guest as a disk that boots by itself: a FAT file system with syslinux from sector 0 (SeaBIOS needs no
# partitions), made with mtools because a loop mount is not to be had everywhere. It ends at 60 MiB: the
# guest's own record is at 63.
build_image() {
  [ ! -s "$GUEST/guest.qcow2" ] || return 0
  local raw=$CACHE/guest.raw config=$CACHE/syslinux.cfg
  fetch syslinux mtools dosfstools
  local PATH=$CACHE/root/usr/bin:$CACHE/root/sbin:$PATH
  printf 'PROMPT 0\nDEFAULT guest\nLABEL guest\nLINUX vmlinuz\nINITRD initrd.gz\nAPPEND console=ttyS0 quiet panic=1\n' >"$config"
  rm -f "$raw" && mkfs.fat -C -n DROVERLAB "$raw" $((60 * 1024)) >/dev/null && truncate -s 64M "$raw" &&
    mcopy -i "$raw" "$GUEST/vmlinuz" "$GUEST/initrd.gz" "$config" :: && syslinux -i "$raw" &&
    qemu-img convert -f raw -O qcow2 "$raw" "$GUEST/guest.qcow2.new" && rm "$raw" "$config" &&
    mv "$GUEST/guest.qcow2.new" "$GUEST/guest.qcow2" || die 'cannot build the bootable image'
}

# ---- guests -----------------------------------------------------------------------------------------------
guest_xml() {
  local name=$1 disk=$2 mem=$3 dirty=$4 ip=$5
  cat <<X
<domain type='qemu'>
  <name>$name</name>
  <memory unit='MiB'>$mem</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/srv/guest/vmlinuz</kernel><initrd>/srv/guest/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet panic=1 name=$name${dirty:+ dirty=$dirty}${ip:+ ip4=$ip}</cmdline></os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    ${disk:+<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='$disk'/><target dev='vda' bus='virtio'/></disk>}
    ${ip:+<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>}
    <serial type='pty'><log file='/var/log/libvirt/qemu/$name.serial' append='on'/><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
X
}
guest_create() {
  [ $# -ge 2 ] || usage 'guest create NAME HOST [disk=..] [mem=..] [dirty=..] [ip=..] [start=..]'
  local name=$1 i disk=shared mem=96 dirty='' ip='' start=yes file='' setting xml; shift
  i=$(host_no "$1") || exit; shift
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || usage "not a name for a guest: '$name'"
  for setting in "$@"; do
    [[ $setting =~ ^(disk|mem|dirty|ip|start)=[A-Za-z0-9.]+$ ]] || usage "guest create does not take '$setting'"
    local "$setting"
  done
  case $disk in
    shared) file=/srv/shared/$name.qcow2 ;;
    local) file=/var/lib/libvirt/images/$name.qcow2 ;;
    nas) file=/srv/nas/$name.qcow2 ;;
    none) ;;
    *) usage "disk=shared|local|nas|none, not '$disk'" ;;
  esac
  # The same limit as a real operator's: an existing disk is somebody's data.
  [ -z "$file" ] || ! inside "$i" test -e "$file" || die "$file is there already on host$i"
  [ -z "$file" ] || inside "$i" qemu-img create -q -f qcow2 "$file" 64M || die "cannot make $file on host$i"
  guest_xml "$name" "$file" "$mem" "$dirty" "$ip" | virsh -q -c "$(host_uri "$i")" define /dev/stdin >&2 &&
    { [ "$start" != yes ] || virsh -q -c "$(host_uri "$i")" start "$name" >&2; } || die "cannot make $name on host$i"
  echo "$name on host$i disk=$disk"
}
guest_fleet() {
  local n=${1:-4} up=() i j
  for i in $(known_hosts); do host_pid "$i" >/dev/null && up+=("$i"); done
  [ ${#up[@]} -gt 0 ] || die 'no host is up'
  for ((j = 0; j < n; j++)); do
    # Turns by host first, so that every host gets both kinds of disk.
    guest_create "vm$((j + 1))" "${up[j % ${#up[@]}]}" "disk=$([ $(((j / ${#up[@]} + j % ${#up[@]}) % 2)) = 0 ] && echo shared || echo local)"
  done
}
guest_remove() {
  local name=${1:-} i
  [ -n "$name" ] || usage 'guest remove NAME'
  for i in $(known_hosts); do
    host_pid "$i" >/dev/null || continue
    virsh -q -c "$(host_uri "$i")" destroy "$name" >/dev/null 2>&1
    virsh -q -c "$(host_uri "$i")" undefine --managed-save --snapshots-metadata "$name" >/dev/null 2>&1
    ! nas_pid >/dev/null || inside "$i" timeout 10 rm -f "/srv/nas/$name.qcow2"
    rm -f "$(host_dir "$i")/lib/images/$name.qcow2" "$(host_dir "$i")/log/libvirt/qemu/$name".{serial,log}
  done
  rm -f "$SHARED/$name.qcow2"
}
guest_tell() {
  [ $# -ge 3 ] || usage 'guest remove NAME     stops it, removes its definitions, disks and logs from all hosts that are up
guest tell NAME HOST WORD...'
  local name=$1 i tty; i=$(host_no "$2") || exit; shift 2
  tty=$(virsh -q -c "$(host_uri "$i")" ttyconsole "$name") && [ -c "$tty" ] || die "$name has no console on host$i"
  # qemu looks once a second whether somebody has opened the terminal, and reads only then.
  { echo "$*"; sleep 2; } >"$tty"
}
guest() {
  local what=${1:-help}; shift
  case $what in
    create | fleet | remove | tell) "guest_$what" "$@" ;;
    image) build_guest; [ -s "$GUEST/guest.qcow2" ] || with_build build_image >&2 || exit 1; echo "$GUEST/guest.qcow2" ;;
    *) guest_help ;;
  esac
}
