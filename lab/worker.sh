# Sourced by lab.sh: the drover worker of a host, as a service that starts when the host boots.

worker() {
  local i=$1 d script; d=$(host_dir "$1"); script=$d/boot.d/worker.sh; shift
  case ${1:-} in
    start) [ -e "$script" ] || die "host$i has no worker installed"; start_worker "$i"; return ;;
    stop) stop_worker "$i" TERM; return ;;
    kill) stop_worker "$i" KILL; return ;;
    remove) rm -f "$script"; ! host_pid "$i" >/dev/null || stop_worker "$i" TERM; return ;;
  esac
  local settings=() cwd=$PWD
  while [ $# -gt 0 ]; do
    case $1 in
      --env) [[ ${2:-} =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || usage '--env takes NAME=VALUE'; settings+=("$2"); shift 2 ;;
      --cwd) cwd=$2; shift 2 ;;
      --) shift; break ;;
      *) usage 'worker HOST [--env K=V].. [--cwd DIR] -- CMD... | start | stop | kill | remove' ;;
    esac
  done
  [ $# -gt 0 ] || usage 'worker: no command after --'
  mkdir -p "$d/boot.d"
  # A host boots with an empty environment, so the script carries all that the command needs.
  {
    echo '#!/bin/bash'
    printf 'export PATH=%q\n' "$PATH"
    local setting
    for setting in ${settings[@]+"${settings[@]}"}; do printf 'export %s=%q\n' "${setting%%=*}" "${setting#*=}"; done
    printf 'cd %q || exit 1\nexec' "$cwd"
    printf ' %q' "$@"
    echo
  } >"$script.new"
  mv "$script.new" "$script"
  host_pid "$i" >/dev/null || { echo "host$i is down; its worker starts at boot"; return; }
  stop_worker "$i" TERM
  start_worker "$i"
}
worker_pid() { inside "$1" sh -c 'p=$(cat /run/boot.d/worker.pid 2>/dev/null) && kill -0 "$p" 2>/dev/null && echo "$p"'; }
start_worker() {
  kill -USR1 "$(host_pid "$1")" || die "host$1 is not up"
  has_worker() { worker_pid "$1" >/dev/null; }
  until_ok 10 "the worker of host$1 does not start (see $(host_dir "$1")/log/worker.log)" has_worker "$1"
}
# The whole process group: a worker started through npx or a shell must not leave its node behind.
stop_worker() {
  local i=$1 pid; pid=$(worker_pid "$i") || return 0
  inside "$i" kill "-$2" -- "-$pid"
  no_worker() { ! worker_pid "$1" >/dev/null; }
  until_ok 30 "the worker of host$i does not end" no_worker "$i"
}
