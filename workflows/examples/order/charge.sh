#!/bin/sh
# charge.sh AMOUNT: what a bank does. Exit code 75: it is busy, as at every first attempt; 3: it refuses.
set -eu
if [ "$CANORUN_ATTEMPT" -eq 1 ]; then
  echo 'the bank is busy' >&2
  exit 75
fi
if awk -v amount="$1" 'BEGIN { exit !(amount > 5000) }'; then
  echo "the bank refuses to pay $1 euros" >&2
  exit 3
fi
./order/book.sh charge "$1 EUR"
