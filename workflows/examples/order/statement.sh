#!/bin/sh
# Prints what this run booked, without the keys.
set -eu
awk -F '\t' -v run="$CANORUN_RUN_ID" '$1 == run { print $3, $4 }' "$LEDGER/ledger"
