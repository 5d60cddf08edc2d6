# shellcheck shell=bash
# A root of its own, in which dpkg runs a package's real scripts: an overlay of this machine's /usr, with
# everything else empty. Sourced.

# make_root ROOT WORK_DIRECTORY: to be called in a mount name space of its own, so that nothing is left
# to unmount.
make_root() {
  local root=$1 work_dir=$2 name
  mkdir -p "$root"/{usr,etc,var/lib/dpkg/{info,updates,triggers},var/log,run/systemd/system,tmp,dev,proc} \
    "$work_dir/upper"
  mount -t tmpfs overlay "$work_dir/upper"  # what is above an overlay may not be an overlay itself
  mkdir "$work_dir"/upper/{files,work}
  mount -t overlay overlay "$root/usr" \
    -o "lowerdir=/usr,upperdir=$work_dir/upper/files,workdir=$work_dir/upper/work"
  for name in bin sbin lib lib64; do
    ln -s "usr/$name" "$root/$name"
  done
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  cp /etc/ld.so.cache "$root/etc/"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  # What containers have, so that nothing is started; and what `cmake --install` here may have left.
  rm -f "$root/usr/sbin/policy-rc.d"
  rm -rf "$root"/usr/{bin/dagsync,share/doc/dagsync,lib/{sysusers,tmpfiles}.d/dagsync.conf}
}
