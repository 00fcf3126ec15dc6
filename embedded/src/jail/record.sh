# Writes "pid start-time" of this shell. Both stay the same over exec, so it becomes the server's own record.
record_self() {
    read -r stat < "/proc/$$/stat"
    set -- "$1" ${stat##*) }
    file=$1
    shift 20
    echo "$$ $1" > "$file"
}
