#!/bin/sh
# ship.sh RESERVATION CITY: hands the parcel over. The tracking number goes to the file of values, so that
# whatever the carrier's tool prints harms nothing.
set -eu
if [ "$2" = Atlantis ]; then
  echo "no carrier delivers to $2" >&2
  exit 1
fi
tracking=T-$(printf '%s %s' "$ORDER" "$1" | cksum | cut -d' ' -f1)
echo "parcel of order $ORDER handed over"
./order/book.sh ship "$tracking"
echo "tracking=$tracking" >>"$CANORUN_OUTPUT"
