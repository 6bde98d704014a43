#!/bin/sh
# Writes the store and what canorun says of it into a new folder beside this script, to be committed:
#   write.sh CANORUN NUMBER
# The numbers rise with what a store can hold; what was written once stays as it is.
set -eu
canorun=$1
out=$(cd "$(dirname "$0")" && pwd)/$2
work=/srv/canorun
test ! -e "$work" && test ! -e "$out"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
cp "$(dirname "$0")"/flows/* "$work"
cd "$work"
export CANORUN_STORE="$work/store" TOKEN=open-sesame
expect() { want=$1; shift; got=0; "$canorun" "$@" >> "$work/said" 2>&1 || got=$?; test $got = $want || { cat "$work/said"; echo "exit $got: $*"; exit 1; }; }
wait_for() { until "$@" > /dev/null 2>&1; do sleep 0.05; done; }
is() { "$canorun" show "$1" --json | grep -q "\"status\":\"$2\""; }

expect 75 run all.yaml --id all --suspend -i token=@env:TOKEN
expect 0 signal all go --data '{"by": "ann"}'
expect 0 resume all
expect 75 run all.yaml --id waits --suspend -i token=@env:TOKEN
expect 0 signal waits go --data '{"by": "bob"}'
expect 3 run undo.yaml --id rolled
expect 3 run undo.yaml --id failed-once -i stop=fail
expect 1 run undo.yaml --id sorry -i stop=failure
expect 4 run undo.yaml --id incomplete -i stop=incomplete
"$canorun" run undo.yaml --id suspended -i stop=hang > /dev/null 2>&1 & pid=$!
wait_for sh -c "'$canorun' show suspended | grep -q '^  c '"
"$canorun" run undo.yaml --id queued -i stop=hang > /dev/null 2>&1 & behind=$!
wait_for is queued queued
kill -KILL $behind; wait $behind || true
kill -TERM $pid; wait $pid || true
"$canorun" run undo.yaml --id cancelled -i stop=hang > /dev/null 2>&1 & pid=$!
wait_for sh -c "'$canorun' show cancelled | grep -q '^  c '"
expect 0 cancel cancelled
wait $pid || true
CANORUN_CRASH=after:5 "$canorun" run undo.yaml --id killed > /dev/null 2>&1 || true
CANORUN_CRASH=after:11 "$canorun" run undo.yaml --id killed-undoing > /dev/null 2>&1 || true
sed "s/^name: undo/&\nversion: 1\nvars: {seen: 1}/; s/stop: {type: string, default: none}/stop: {type: string, default: none}, new: {type: int, default: 2}/" undo.yaml > undo1.yaml
expect 1 run unserved.yaml --id unserved
"$canorun" run undo.yaml --id migrated -i stop=hang > /dev/null 2>&1 & pid=$!
wait_for sh -c "'$canorun' show migrated | grep -q '^  c '"
kill -TERM $pid; wait $pid || true
sed -i 's/hang) sleep 41/hang) true/' undo1.yaml
expect 3 resume migrated --file undo1.yaml --migrate

mkdir -p "$out/expected"
"$canorun" list --json > "$out/expected/list.json"
for id in $("$canorun" list --json | grep -o '"id":"[^"]*"' | cut -d'"' -f4); do
  "$canorun" show "$id" --json > "$out/expected/$id.show.json"
  "$canorun" events "$id" --json > "$out/expected/$id.events.json"
done
"$canorun" prune --compact > /dev/null
cp "$CANORUN_STORE/data.mdb" "$out"
# Of a machine that is gone: who opens the store writes its own line.
echo "00000000-0000-0000-0000-000000000000 4026531836" > "$out/users"
chmod 644 "$out/data.mdb" "$out/users"
