# Functions that the external checks use. Each check sources this file; its working directory is the root of the
# repository.
#
# An external check is a script that tests rulebook with other programs. It exits
# with 0 if it succeeds, with 77 if it cannot run because there is no network, and
# with 1 otherwise. `scripts/test` runs all checks; in continuous integration, no
# check may be skipped.

target=$(pwd)/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR:-} != /* ]] || target=$CARGO_TARGET_DIR
# The program of the demo can serve any definition. It has handlers only for the definition in `api`.
program=$target/debug/article-site
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

# cannot REASON: prints the reason why the check cannot run, and ends it with status 77.
cannot() {
  say "$*"
  exit 77
}

# package NAME: installs a Debian package.
package() {
  scripts/install "$1" || cannot "$1 is not installed"
}

# python: creates a virtual environment with the pinned packages, unless it exists, and sets `venv` to its folder.
python() {
  venv=$target/external/venv
  local requirements=tests/external/requirements.txt status=0
  command -v python3 >/dev/null || package python3
  python3 -c 'import ensurepip' 2>/dev/null || package python3-venv
  mkdir -p "$target/external"
  # Several checks can run at the same time: one creates the environment, and the others wait for it.
  (
    flock 8
    cmp -s "$requirements" "$venv/installed.txt" && exit
    rm -rf "$venv"
    python3 -m venv "$venv" || exit
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2 || exit 77
    cp "$requirements" "$venv/installed.txt"
  ) 8>"$target/external/venv.lock" || status=$?
  case $status in
    0) ;;
    77) cannot "the packages in $requirements cannot be installed" ;;
    *) exit 1 ;;
  esac
}

# cargo_profile: prints the settings of cargo for debug builds of this repository, as a configuration file of cargo. With
# the same settings, a project uses the same builds of its dependencies.
cargo_profile() { sed -n '/^\[profile\.dev/,/^\[profile\.release\]/{/^\[profile\.release\]/!p}' Cargo.toml; }

# ignored_tests NAME: runs the ignored tests whose names contain NAME. Fails if no test has such a name. All packages
# are built, because the builds of some would be other ones than those of the other tests.
ignored_tests() {
  cargo test --locked --quiet --workspace --test main "$1" -- --ignored | tee "$work/tests" || return
  if ! grep -q '^running [1-9]' "$work/tests"; then
    say "no test is called $1"
    return 1
  fi
}

# serve FOLDER ARGUMENT…: serves the definition in a folder, and sets `url` to the server's URL, without the base path.
# The server's output is in the file `log`. Its data folder is `data`, if that is set, otherwise a new one.
serve() {
  local api
  api=$(cd "$1" && pwd) || exit 1
  data=${data:-$(mktemp -d "$work/data.XXXX")}
  log=$data/log
  : >"$log"
  RUST_BACKTRACE=1 "$program" serve --api "$api" --data "$data" --bind 127.0.0.1:0 "${@:2}" >"$log" 2>&1 &
  servers+=($!)
  url=
  # A build of another check can hold the lock of the target folder for minutes on a busy machine.
  for _ in {1..6000}; do
    url=$(sed -n 's,^.*listens[": ]*\(http://[^/ "]*\).*,\1,p' "$log" | head -n 1)
    [ -z "$url" ] || return 0
    kill -0 "${servers[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  say "the server of $1 failed to start:"
  cat "$log" >&2
  exit 1
}

# stop: stops the server that was started last, and unsets `data`.
stop() {
  { kill "${servers[-1]}" && wait "${servers[-1]}"; } 2>/dev/null
  unset 'servers[-1]'
  data=
}
