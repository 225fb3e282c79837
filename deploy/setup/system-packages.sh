#!/usr/bin/env bash
# Installs the programs that tests and demo call, where it may; else says in one line what to install.
set -euo pipefail

declare -A package_of=([nft]=nftables [ip]=iproute2 [conntrack]=conntrack [openssl]=openssl [curl]=curl [dig]=bind9-dnsutils [java]=openjdk-17-jre-headless)
missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "missing: ${missing[*]} (Debian's package names); install them, then run make setup again" >&2
  exit 1
fi
