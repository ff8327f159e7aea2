#!/bin/sh
# Put together a stand-in for an official Python base image where none can be pulled: Debian's minimal system with this
# machine's own Python under /usr/local, as the official image has it. usage: PYTHON_PREFIX=… standin.sh IMAGE SCRATCH
set -eu
image=$1 scratch=$2 version=3.11
mkdir -p "$scratch"
work=$(mktemp -d "$scratch/standin.XXXXXX")
trap 'rm -rf "$work"' EXIT
slim=$scratch/slim.tar
[ -s "$slim" ] || {
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,zlib1g,libbz2-1.0,liblzma5,libreadline8,libncursesw6,libuuid1,libexpat1,libdb5.3,libgdbm6 \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$slim.part"
  mv "$slim.part" "$slim"
}
root=$work/root
mkdir "$root"
tar -C "$root" --exclude='./dev/*' -xf "$slim"
tar -C "$PYTHON_PREFIX" --exclude='lib/python*/site-packages' --exclude='lib/python*/test' \
  --exclude='lib/python*/config-*' --exclude=__pycache__ --exclude='lib/python*/tkinter' \
  --exclude='lib/python*/idlelib' -cf - lib include "bin/python$version" | tar -C "$root/usr/local" -xf -
ln -sf "python$version" "$root/usr/local/bin/python3"
ln -sf python3 "$root/usr/local/bin/python"
mkdir -p "$root/usr/local/lib/python$version/site-packages"
chroot "$root" /sbin/ldconfig
env -i PATH=/usr/local/bin:/usr/bin:/bin /usr/sbin/chroot "$root" /usr/local/bin/python3 -m ensurepip --upgrade --default-pip
: >"$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname"
tar -C "$root" -cf "$work/base.tar" .
podman import --quiet --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' "$work/base.tar" "$image"
