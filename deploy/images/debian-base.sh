#!/usr/bin/env bash
# Makes the image localhost/conntrail-base, whose name it prints: Debian with Python 3.11, from the mirror that this machine's
# apt uses, without any registry or daemon. Needs root, buildah and mmdebstrap. The file system is kept for a week in
# ~/.cache/conntrail, as Debian's security updates are in it.
set -euo pipefail

release=bookworm   # Debian 12, whose Python is 3.11
for tool in apt-get buildah mmdebstrap; do
  command -v "$tool" >/dev/null || { echo "no $tool is there: install the packages buildah and mmdebstrap" >&2; exit 1; }
done

# What apt knows of its sources is empty until it has asked them once.
site() { apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 'Origin: Debian' "Label: $1" | sed -n 1p; }
[ -n "$(site Debian)" ] || apt-get update -qq >&2
mirror=$(site Debian) security=$(site Debian-Security)
[ -n "$mirror" ] || { echo "apt knows no mirror of Debian here: give PYTHON_IMAGE instead of BASE=debian" >&2; exit 1; }

kept=${XDG_CACHE_HOME:-$HOME/.cache}/conntrail/image-base
key=$({ cat "$0"; echo "$mirror $security"; dpkg --print-architecture; } | sha256sum | cut -c 1-16)
archive=$kept/$key.tar
if [ -z "$(find "$archive" -mtime -7 2>/dev/null)" ]; then
  mkdir -p "$kept"
  find "$kept" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
  made=$(mktemp -d "$kept/making.XXXXXX")
  trap 'rm -rf "$made"' EXIT
  sources=("deb $mirror $release main")
  [ -n "$security" ] && sources+=("deb $security $release-security main")
  echo "making Debian's base for images, kept for a week" >&2
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    "$release" "$made/base.tar" "${sources[@]}" >&2
  mv "$made/base.tar" "$archive"
fi

# Named by what is in it, so that layers built on it before are found again.
image=localhost/conntrail-base:$(sha256sum "$archive" | cut -c 1-16)
if ! buildah inspect --type image "$image" >/dev/null 2>&1; then
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$archive" / >/dev/null
  buildah commit --quiet --rm "$container" "$image" >/dev/null
fi
echo "$image"
