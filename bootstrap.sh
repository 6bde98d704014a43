#!/usr/bin/env bash
# Installs what canorun is built with, where it is missing, and builds build/release/canorun.
#   ./bootstrap.sh          the program
#   ./bootstrap.sh --test   the program and its tests, and runs them
#   ./bootstrap.sh --asan   the same with address and undefined behaviour sanitizers, and the fuzzers, in build/asan
set -euo pipefail

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

usage() { sed -n '2,5s/^# \{0,1\}//p' "$0"; }

what=${1-}
case "$what" in
  '' | --test | --asan) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

# Debian 12 and Ubuntu 24.04, and what is derived from them.
release() {
  [ -r /etc/os-release ] || return 0
  . /etc/os-release
  printf '%s' "${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}"
}

packages=(cmake g++ ninja-build doctest-dev libbenchmark-dev libcli11-dev libcurl4-openssl-dev libfmt-dev
  libhowardhinnant-date-dev liblmdb-dev libmd-dev libre2-dev libyaml-cpp-dev nlohmann-json3-dev)
case "$what" in
  --test | --asan) packages+=(dpkg-dev file librapidcheck-dev openssl procps python3-jsonschema python3-yaml) ;;
esac
if [ "$what" = --asan ]; then packages+=(clang-19 libclang-rt-19-dev); fi
case "$(release)" in
  bookworm) packages+=(libboost1.81-dev) ;;
  noble) packages+=(libboost-dev) ;;
  *) die "this is neither Debian 12 nor Ubuntu 24.04. Install, by the names your system has for them," \
    "${packages[*]} and Boost 1.81 or newer, then run:" \
    "cmake --preset release && cmake --build --preset release" ;;
esac

missing=()
for package in "${packages[@]}"; do
  case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
    ?i*) ;;
    *) missing+=("$package") ;;
  esac
done

if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "as root, or with sudo: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update || say 'apt-get update failed; going on with the package lists that are here'
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}"
fi

cd "$(dirname "$0")"
preset=release
if [ "$what" = --asan ]; then preset=asan; fi
[ -f build/$preset/build.ninja ] || CXX=${CXX:-g++} cmake --preset $preset
case "$what" in
  '') cmake --build --preset release --target canorun ;;
  *)
    cmake --build --preset $preset
    ctest --preset $preset
    ;;
esac
