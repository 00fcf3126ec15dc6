# Runs a program of the unpacked tree by plain chroot, for root where namespaces are forbidden.
#   record file (or empty), user:group, tree, program, arguments …
set -eu
record=$1 owner=$2 tree=$3
shift 3
if [ -n "$record" ]; then record_self "$record"; fi
exec chroot --userspec="$owner" --groups="${owner#*:}" "$tree" "$@"
