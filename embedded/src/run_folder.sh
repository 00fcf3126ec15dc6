# Ends a server and removes its run folder once its owner is gone, that is, at end of file on standard input.
#   run folder
# The folder's name begins with the kind of server; `server` in it holds "pid start-time".
run=$1
trap '' INT TERM HUP QUIT
cat > /dev/null
[ -d "$run" ] || exit 0

# PostgreSQL ends its backends at SIGQUIT and skips the shutdown checkpoint: the data goes anyway.
case $run in
*/postgres-*) signal=QUIT ;;
*) signal=TERM ;;
esac

# Ours only if process id, start time and the run folder in its command line all agree; a zombie has ended.
alive() {
    { read -r stat < "/proc/$pid/stat"; } 2> /dev/null || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1
    shift 19
    [ "$1" = "$start" ] && grep -qaF -- "$run/" "/proc/$pid/cmdline" 2> /dev/null
}

if { read -r pid start < "$run/server"; } 2> /dev/null; then
    if alive; then kill -s "$signal" "$pid"; fi
    turns=100
    while alive && [ "$turns" -gt 0 ]; do
        sleep 0.05
        turns=$((turns - 1))
    done
    if alive; then kill -s KILL "$pid"; fi
    while alive; do sleep 0.05; done
fi
# What still works in the data folder is a backend of a dead postmaster, kept busy by a query.
for process in /proc/[0-9]*; do
    if [ "$process/cwd" -ef "$run/data" ]; then kill -s KILL "${process#/proc/}"; fi
done
# The kernel may need a moment to close the last file.
rm -rf "$run" 2> /dev/null || { sleep 1; rm -rf "$run"; }
