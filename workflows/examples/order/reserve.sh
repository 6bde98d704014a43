#!/bin/sh
# Reserves the article; prints the number of the reservation as JSON.
set -eu
number=$(printf 'article of %s' "$ORDER" | cksum | cut -d' ' -f1)
./order/book.sh reserve "$number"
printf '{"reservation": %s}\n' "$number"
