# What the outside checks have in common. Sourced by each of them, at the top of the package.
#
# A check is a script of its own that exits with 0 where all is well, with
# 77 where it cannot run here because there is no network, and else with 1.
# `scripts/test` runs them all; in continuous integration none may be skipped.

target=$(pwd)/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR:-} != /* ]] || target=$CARGO_TARGET_DIR
program=$target/debug/rulebook
work=$(mktemp -d)
servers=()
data=

finish() {
  local server
  for server in ${servers[@]+"${servers[@]}"}; do
    { kill "$server" && wait "$server"; } 2>/dev/null
  done
  rm -rf "$work"
}
trap finish EXIT

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# cannot WHY: ends the check as one that cannot run here.
cannot() {
  say "$*"
  exit 77
}

# package NAME: installs a Debian package.
package() {
  scripts/install "$1" || cannot "$1 is missing"
}

# python: makes a virtual environment with the pinned packages, once, and sets `venv` to its folder.
python() {
  venv=$target/outside/venv
  local wanted=tests/outside/requirements.txt
  cmp -s "$wanted" "$venv/installed.txt" && return
  command -v python3 >/dev/null || package python3
  python3 -c 'import ensurepip' 2>/dev/null || package python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv" || exit 1
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" >&2 ||
    cannot "the packages of $wanted cannot be installed"
  cp "$wanted" "$venv/installed.txt"
}

# serve FOLDER ARGUMENT…: serves the definition of a folder, and sets `url` to where, without its base. What the
# server says is in `log`. Its own folder is `data`: a new one, unless `data` is set to one.
serve() {
  local api
  api=$(cd "$1" && pwd) || exit 1
  data=${data:-$(mktemp -d "$work/data.XXXX")}
  log=$data/log
  : >"$log"
  RUST_BACKTRACE=1 "$program" serve --api "$api" --data "$data" --bind 127.0.0.1:0 "${@:2}" >"$log" 2>&1 &
  servers+=($!)
  url=
  for _ in {1..1200}; do
    url=$(sed -n 's,^ *listens *\(http://[^/ ]*\).*,\1,p' "$log")
    [ -z "$url" ] || return 0
    kill -0 "${servers[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  say "the server of $1 does not start:"
  cat "$log" >&2
  exit 1
}

# stop: stops the server that was started last, and forgets its folder.
stop() {
  { kill "${servers[-1]}" && wait "${servers[-1]}"; } 2>/dev/null
  unset 'servers[-1]'
  data=
}
