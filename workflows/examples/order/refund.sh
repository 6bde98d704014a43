#!/bin/sh
# Gives back what the charge that is undone has taken, if it has: that is known by its key.
set -eu
amount=$(awk -F '\t' -v key="$CANORUN_COMPENSATES" '$5 == key { print $4 }' "$LEDGER/ledger")
[ -z "$amount" ] || ./order/book.sh refund "$amount"
