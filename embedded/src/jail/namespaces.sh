# Runs a program of the unpacked tree as if the tree's /usr were the machine's, as an ordinary user.
# Called inside a fresh user, mount and IPC namespace as its root.
#   mount point, tree, record file (or empty), folders to show at their own path …, --, program, arguments …
set -eu
new_root=$1 tree=$2 record=$3
shift 3
mount -t tmpfs -o mode=755 tmpfs "$new_root"
cd "$new_root"
mkdir usr etc dev proc
mkdir -m 1777 tmp
for name in bin sbin lib lib64; do
    if [ -e "$tree/usr/$name" ]; then ln -s "usr/$name" "$name"; fi
done
mount --rbind "$tree/usr" usr
mount --rbind /dev dev
# Own shared memory: it vanishes with the last process, whatever kills it.
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount --rbind /proc proc
# PostgreSQL refuses to run as root and wants to know its user's name.
echo 'polevod:x:1000:1000::/:/bin/sh' > etc/passwd
echo 'polevod:x:1000:' > etc/group
while [ "$1" != -- ]; do
    mkdir -p ".$1"
    mount --rbind "$1" ".$1"
    shift
done
shift
if [ -n "$record" ]; then record_self "$record"; fi
exec unshare --user --map-user=1000 --map-group=1000 --root="$new_root" --wd=/ -- "$@"
