# Sourced by lab.sh: the BMC of a host, which goes on while the host is off.

bmc_help='lab.sh bmc HOST start                start it; it tells its address, system UUID, user and the file of its password
lab.sh bmc HOST stop                 it answers nobody any more: a closed port
lab.sh bmc HOST cut | heal           its network is cut: no route
lab.sh bmc HOST mode ok              what it does from now on:
                     hang            takes connections and never answers
                     error           answers with an internal error
                     refuse          has another password
                     deaf            says yes to on and off, and does nothing
                     lie             the same, and says of the power what it was asked for
                     slow SECONDS    answers late
                     swapped HOST    has the power of another host'

bmc_ip() { echo "$NET.$((100 + $1))"; }
bmc_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$(host_dir "$1")/bmc/pid" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}
bmc() {
  [ "${1:-help}" != help ] || { echo "$bmc_help"; return; }
  local i d; i=$(host_no "$1") || exit; d=$(host_dir "$i"); shift
  [ -d "$d" ] || die "host$i is not in this lab; see: $0 status"
  case ${1:-} in
    start) start_bmc "$i" "$d/bmc" ;;
    stop) stop_bmc "$i" ;;
    cut) ip addr del "$(bmc_ip "$i")/24" dev "$BRIDGE" ;;
    heal) ip addr add "$(bmc_ip "$i")/24" dev "$BRIDGE" ;;
    mode) bmc_mode "$i" "$d/bmc" "${2:-}" "${3:-}" ;;
    *) usage "$bmc_help" ;;
  esac
}
bmc_mode() {
  local word="$3 $4"
  case $3 in
    ok | hang | error | refuse | deaf | lie) word=$3 ;;
    slow) [[ $4 =~ ^[0-9.]+$ ]] || usage 'bmc HOST mode slow SECONDS' ;;
    swapped) word="swapped $(host_no "$4")" || exit ;;
    *) usage "$bmc_help" ;;
  esac
  mkdir -p "$2" && echo "$word" >"$2/mode.new" && mv "$2/mode.new" "$2/mode"
}
start_bmc() {
  local i=$1 d=$2 ip; ip=$(bmc_ip "$1")
  /usr/bin/python3 -c 'import pyghmi' 2>/dev/null || unable 'a BMC needs: apt-get install --no-install-recommends python3-pyghmi openssl'
  if ! bmc_pid "$i" >/dev/null; then
    mkdir -p "$d"
    rm -f "$d/ready" "$d/mode"
    [ -s "$d/password" ] || (umask 077; head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$d/password")
    ip addr show dev "$BRIDGE" | grep -qF " $ip/" || ip addr add "$ip/24" dev "$BRIDGE" || die "cannot give the BMC of host$i its address $ip"
    env -i PATH="$PATH:/usr/sbin:/sbin" HOME="${HOME:-/root}" XDG_CACHE_HOME="${XDG_CACHE_HOME:-}" \
      DROVER_LAB_DIR="$LAB" DROVER_LAB_NET="$K" setsid /usr/bin/python3 "$HERE/bmc.py" "$(host_dir "$i")" "$ip" "$HERE/lab.sh" \
      >>"$d/log" 2>&1 </dev/null 9>&- &
    echo "$! $(start_time $!)" >"$d/pid"
    bmc_ready() { [ -e "$1/ready" ] || ! bmc_pid "$2" >/dev/null; }
    until_ok 20 "the BMC of host$i does not start (see $d/log)" bmc_ready "$d" "$i"
    bmc_pid "$i" >/dev/null || die "the BMC of host$i ended: $(tail -1 "$d/log")"
  fi
  printf '{"host":"host%d","address":"%s","uuid":"%s","user":"admin","passwordFile":"%s","certificate":"%s"}\n' \
    "$i" "$ip" "$(cat "$(host_dir "$i")/uuid")" "$d/password" "$d/cert.pem"
}
stop_bmc() {
  local pid; pid=$(bmc_pid "$1") || return 0
  kill -9 "$pid"
  rm -f "$(host_dir "$1")/bmc/pid"
}
