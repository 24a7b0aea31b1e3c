#!/bin/sh
# /init of the lab guest. It counts once a second on the serial console and writes the count to its disk, so
# that a test sees from outside whether this guest ran on, was copied, was rebooted or lost its disk.
#   TICK n=12 boot=1a2b3c4d up=14.31 disk=ok      (disk=ERR: the write failed; disk=-: there is no disk)
# The record on the disk is one sector at 63 MiB: behind the file system of the bootable image, within the
# 64 MiB of the plain disk, and at the same place after the disk has grown.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev; mount -t tmpfs -o size=80% t /tmp
echo 1 >/proc/sys/kernel/printk # a kernel message in the middle of a TICK would look like a torn line
stty -F /dev/ttyS0 -echo        # so would the echo of a command
for m in $(cat /mod/order); do insmod "/mod/$m.ko" || echo "insmod $m failed"; done

arg() { for w in $(cat /proc/cmdline); do case $w in "$1"=*) echo "${w#*=}" ;; esac; done; }
NAME=$(arg name)
# The bootable image has one command line for all guests: there the identity is the one the hypervisor gave.
[ -n "$NAME" ] || NAME=$(cat /sys/class/dmi/id/product_uuid)
ip link set lo up
if [ -n "$(arg ip4)" ] && [ -e /sys/class/net/eth0 ]; then
  ip link set eth0 up; ip addr add "$(arg ip4)/24" dev eth0
fi
acpid -f -c /etc/acpi -l /dev/null >/dev/null 2>&1 & # the power button, see etc/acpi/PWRF

# dirty MIB: writes MIB MiB of memory over and over, which makes a live migration hard to finish.
DIRTY=
dirty() {
  [ -z "$DIRTY" ] || { kill "$DIRTY"; wait "$DIRTY"; DIRTY=; } 2>/dev/null
  rm -f /tmp/load
  [ "$1" -gt 0 ] || return
  dd if=/dev/urandom of=/tmp/seed bs=1M count=1 2>/dev/null
  while :; do
    i=0
    while [ $i -lt "$1" ]; do dd if=/tmp/seed of=/tmp/load bs=1M seek=$i conv=notrunc 2>/dev/null; i=$((i + 1)); done
  done &
  DIRTY=$!
}
commands() {
  dirty "$(arg dirty)"
  while :; do
    read -r word value <&3 || { sleep 5; continue; }
    case $word in
      dirty) case $value in '' | *[!0-9]*) echo 'GUEST dirty takes MiB' ;; *) dirty "$value"; echo "GUEST dirty $value" ;; esac ;;
      poweroff) echo 'GUEST poweroff'; sync; poweroff -f ;;
      reboot) echo 'GUEST reboot'; sync; reboot -f ;;
      '') ;;
      *) echo "GUEST does not know $word" ;;
    esac
  done
}
commands 3</dev/ttyS0 2>/dev/null &

SECTOR=$((63 * 2048))
BOOT=$(cut -c1-8 /proc/sys/kernel/random/boot_id)
PREV=$(dd if=/dev/vda bs=512 skip=$SECTOR count=1 2>/dev/null | tr -d '\0' | head -1)
echo "GUEST UP name=$NAME boot=$BOOT at=$(date +%s) up=$(cut -d' ' -f1 /proc/uptime) prev=[$PREV]"
# Dozens of guests count at a time, each on an emulated processor: a count starts one process. Nobody writes to this pipe.
mkfifo /tmp/pause
exec 4<>/tmp/pause
n=0
while :; do
  n=$((n + 1)) disk=-
  if [ -b /dev/vda ]; then
    dd of=/dev/vda bs=512 seek=$SECTOR count=1 conv=sync,notrunc,fsync 2>/dev/null <<R && disk=ok || disk=ERR
n=$n boot=$BOOT name=$NAME
R
  fi
  read -r up _ </proc/uptime
  echo "TICK n=$n boot=$BOOT up=$up disk=$disk"
  read -r -t 1 _ <&4
done
