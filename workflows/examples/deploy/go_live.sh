#!/bin/sh
# go_live.sh PATH: makes `current` a link to PATH, beside it. The rename is what visitors see: at every
# moment there is a link.
set -eu
rm -f "$TARGET/.current"
ln -s "$1" "$TARGET/.current"
mv -fT "$TARGET/.current" "$TARGET/current"
