#!/bin/sh
# book.sh ENTRY DETAIL: books one line in the ledger: run, order, entry, detail, key.
#
# The idempotency key is the same in every attempt and after every resume of one piece of work, so a
# line that is there already is not booked again. It is written with one write, and so whole or not at all.
set -eu
mkdir -p "$LEDGER"
grep -qsF "$CANORUN_IDEMPOTENCY_KEY" "$LEDGER/ledger" ||
  printf '%s\t%s\t%s\t%s\t%s\n' "$CANORUN_RUN_ID" "$ORDER" "$1" "$2" "$CANORUN_IDEMPOTENCY_KEY" >>"$LEDGER/ledger"
