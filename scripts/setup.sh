#!/usr/bin/env bash
# Prepares everything the other scripts need: Debian packages, the Python environment .venv, the build.
# Each step is skipped when it is already done, so calling it again costs about a second.
#
#   bash scripts/setup.sh [PRESET]      PRESET: a configure preset of CMakePresets.json, default release
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

# 1. Debian packages
mapfile -t packages < <(grep -vE '^(#|$)' scripts/packages.txt)
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" {print $2}' || true)
missing=$(comm -23 <(printf '%s\n' "${packages[@]}" | sort) <(sort -u <<<"$installed"))
as_root=; [ "$(id -u)" = 0 ] || as_root=sudo
if [ -n "$missing" ]; then
  say "Installing Debian packages:" $missing
  $as_root apt-get update -qq
  # shellcheck disable=SC2086  # a list of names
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# NNI's parts reach each other by the name localhost, which a minimal container may not know.
if ! getent ahostsv4 localhost >/dev/null; then
  say "Adding localhost to /etc/hosts"
  echo "127.0.0.1 localhost" | $as_root tee -a /etc/hosts >/dev/null
fi

# 2. Python environment, made again when its requirements change
stamp=.venv/.requirements.sha256
wanted=$(sha256sum < scripts/requirements.txt)
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
  say "Making the Python environment .venv"
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install -q --disable-pip-version-check -r scripts/requirements.txt
  echo "$wanted" > $stamp
fi

# 3. Build
say "Building (preset $preset)"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
