#!/usr/bin/env bash
# Installs the programs that tests and demo call, where it may; else says in one line what to install.
set -euo pipefail

declare -A package_of=([nft]=nftables [prometheus-alertmanager]=prometheus-alertmanager [ip]=iproute2 [conntrack]=conntrack [openssl]=openssl [curl]=curl [dig]=bind9-dnsutils [dnsmasq]=dnsmasq-base [java]=openjdk-17-jre-headless [javac]=openjdk-17-jdk-headless [node]=nodejs [npm]=npm)
# Images are built by what Debian packages; elsewhere by what is there, and tests of them are skipped.
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  package_of+=([buildah]=buildah [mmdebstrap]=mmdebstrap)
fi
missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Tests start an Alertmanager of their own; the package's service would listen on every address.
  unit=/etc/systemd/system/prometheus-alertmanager.service
  if [[ " ${missing[*]} " == *" prometheus-alertmanager "* && ! -e $unit && ! -L $unit ]]; then
    mkdir -p "${unit%/*}" && ln -s /dev/null "$unit"
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "missing: ${missing[*]} (Debian's package names); install them, then run make setup again" >&2
  exit 1
fi
