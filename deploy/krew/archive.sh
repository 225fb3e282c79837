#!/bin/sh
# Makes the archive of the kubectl plug-in for this machine's platform: archive.sh OUTPUT.tar.gz
# Compiled packages are for one version of Python and one platform, so it is made on each; PYTHON names the interpreter
# that uv installs for.
set -eu
output=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/.venv/bin/uv" pip install --quiet --python "$python" --target "$work/lib" "$root[cluster,streams]" \
  --constraint "$root/locks/dev.txt"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for entry in kubectl-conntrail:main kubectl_complete-conntrail:complete; do
  cat > "$work/${entry%%:*}" <<EOF
#!/bin/sh
here=\$(dirname "\$(realpath "\$0")")
PYTHONPATH="\$here/lib" exec python$version -c 'from conntrail.kubectl.__main__ import ${entry##*:}; ${entry##*:}()' "\$@"
EOF
  chmod +x "$work/${entry%%:*}"
done
cp "$root/LICENSE" "$work/LICENSE"
tar -czf "$output" -C "$work" LICENSE kubectl-conntrail kubectl_complete-conntrail lib
