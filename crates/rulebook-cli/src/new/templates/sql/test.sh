#!/bin/sh
# Tests the methods on an empty database: `sh test.sh`.
# It is an SQLite file, unless DATABASE_URL contains the address of another empty database.
set -eu
data=$(mktemp -d)
server=
# A server that stops still writes to its data folder, so the folder is removed after it has stopped.
finish() {
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT
notes() { rulebook --data "$data" call "$@"; }
# expect TEXT COMMAND…: fails unless the command prints the text.
expect() {
    text=$1
    shift
    printed=$("$@" 2>&1) || true
    case $printed in
        *"$text"*) ;;
        *) echo "expected $text from $*, got $printed" >&2; exit 1 ;;
    esac
}

expect '"note_id": 1' notes note.add --scope writer title=Groceries "text=We are out of milk."
expect '"note_id": 2' notes note.add --scope writer "title=O'Hara" "text='); drop table note; --"
expect title_taken notes note.add --scope writer title=Groceries text=-
expect forbidden notes note.add --scope reader title=Other text=-
expect 'out of milk' notes note.read note_id=1
expect no_note notes note.read note_id=7
expect '"note_id": 2' notes note.list search=DROP
expect '"notes": []' notes note.list search=butter
expect '"title": "Groceries"' notes note.list before=2
expect '"changed": "20' notes note.change --scope writer note_id=1 "text=We have milk."
expect 'have milk' notes note.read note_id=1
expect '"title": "Groceries"' notes note.remove --scope writer note_id=1
expect no_note notes note.remove --scope writer note_id=1

# Keys and files need a server.
key=$(rulebook keys add --data "$data" --name ada --scope writer)
rulebook serve --data "$data" --bind 127.0.0.1:0 >"$data/log" 2>&1 &
server=$!
url=
while [ -z "$url" ]; do
    sleep 0.1
    kill -0 "$server"
    url=$(sed -n 's,^ *listens *\(http://[^/ ]*\).*,\1,p' "$data/log")
done
as_ada() { curl -s -H "Authorization: Bearer $key" "$@"; }
note=$(as_ada "$url/note" -d title=Files -d text=- | sed -n 's/.*"note_id":\([0-9]*\).*/\1/p')
expect '"author":"ada"' curl -s "$url/note/$note"
expect 'no_file' curl -s "$url/note/$note/file"
expect '{}' as_ada "$url/note/$note/file" -F file=@test.sh
expect 'filename="test.sh"' curl -s -D - -o "$data/file" "$url/note/$note/file"
cmp test.sh "$data/file"
expect '"errors"' as_ada "$url/note/$note/file" -F file=text
expect 'credential' curl -s "$url/note/$note/file" -F file=@test.sh
echo "all tests passed"
