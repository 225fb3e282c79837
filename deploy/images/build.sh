#!/usr/bin/env bash
# Builds the three images with buildah, podman or docker, whichever is there. Needs PYTHON_IMAGE, a Debian with Python 3.11
# pinned by its digest, for example docker.io/library/python:3.11-slim-bookworm@sha256:…; or BASE=debian, which makes the
# base of Debian's own packages (debian-base.sh) and builds with buildah, without a registry and without a daemon.
# TAG (default: the package's version), REPOSITORY (default: ghcr.io/conntrail), PLATFORMS (default: this machine's;
# linux/amd64,linux/arm64 for IMAGES="node cluster": faust-streaming, which workers need, is published for amd64 alone; of
# several buildah and podman make a manifest list, which `manifest push --all` pushes).
set -euo pipefail
cd "$(dirname "$0")/../.."

options=()
image=${PYTHON_IMAGE:-}
case ${BASE:-} in
  debian)
    [ -z "${PLATFORMS:-}" ] || { echo "BASE=debian is of this machine's architecture: leave PLATFORMS out" >&2; exit 1; }
    image=$(deploy/images/debian-base.sh)
    export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}   # which needs no runtime of containers
    # Packages are fetched by whom this machine trusts; none of that stays in an image.
    trusted=/etc/ssl/certs/ca-certificates.crt
    options+=(--volume "$trusted:$trusted:ro")
    ;;
  '') ;;
  *) echo "BASE is debian or nothing, and not $BASE" >&2; exit 1 ;;
esac
if [[ $image != *@sha256:* && $image != localhost/* ]]; then
  echo "set BASE=debian, or PYTHON_IMAGE to a Python 3.11 image with its digest:" \
    "docker.io/library/python:3.11-slim-bookworm@sha256:…" >&2
  exit 1
fi
for tool in buildah podman docker ''; do
  [ -z "$tool" ] && { echo "no buildah, podman or docker is there: install one, such as the package buildah" >&2; exit 1; }
  command -v "$tool" >/dev/null && break
done
export BUILDAH_LAYERS=true   # as podman and docker do: what is the same in three images is made once
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
[ -n "${PLATFORMS:-}" ] && options+=(--platform "$PLATFORMS")
naming=--tag
# Of several platforms a tag would name the last alone; docker makes a list of them by itself.
[[ ${PLATFORMS:-} == *,* && $tool != docker ]] && naming=--manifest
for name in ${IMAGES:-node cluster streams}; do
  labels=(--label "org.opencontainers.image.title=conntrail-$name" --label "org.opencontainers.image.version=$version"
    --label org.opencontainers.image.licenses=Apache-2.0)
  built="${REPOSITORY:-ghcr.io/conntrail}/conntrail-$name:${TAG:-$version}"
  # A list of this name would be added to, and an image of it would be in the way.
  [ $naming = --tag ] || { "$tool" manifest rm "$built" || "$tool" rmi "$built"; } >/dev/null 2>&1 || true
  "$tool" build "${options[@]}" "${labels[@]}" --build-arg "PYTHON_IMAGE=$image" \
    --file "deploy/images/$name.Containerfile" $naming "$built" .
done
