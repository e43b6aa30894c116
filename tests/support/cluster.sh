# A throw-away Postgres: sh tests/support/cluster.sh BIN [SETTING…], BIN the folder of initdb, a SETTING such as max_connections=400.
#
# Prints the folder of its socket (its files are in data) when it answers. Then reads commands, one per line: `stop` (at once, as in a
# power cut) and `start`; repeats each when done. Stops the server at the end of standard input, so also when the caller was killed.
# Nothing here must survive a crash of the machine, so nothing waits for the disk. The server refuses to run as root.
set -eu
bin=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/semainier-postgres.XXXXXX")
trap 'rm -rf "$dir"' EXIT
settings="-c fsync=off"
for setting in "$@"; do settings="$settings -c $setting"; done
"$bin/initdb" --pgdata="$dir/data" --username=semainier --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    exit 1
}
start() {
    "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= $settings >>"$dir/log" 2>&1 </dev/null &
    server=$!
    until "$bin/pg_isready" --quiet --host="$dir"; do
        kill -0 $server || { cat "$dir/log" >&2; exit 1; }
        sleep 0.05
    done
}
stop() {
    kill -QUIT $server 2>/dev/null || true
    wait $server || true
}
start
echo "$dir"
while read -r word; do
    case $word in
    stop) stop ;;
    start) start ;;
    esac
    echo "$word"
done
stop
