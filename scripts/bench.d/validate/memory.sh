# Peak memory over sizes: two unsorted files each. Sourced by validate.sh.
: > "$times"
for rows in ${VALIDATE_MEMORY_ROWS-100000 1000000 5000000 20000000}; do
  # Two files of about 70 bytes a row, and as much to spill.
  if [ "$(df --output=avail -k . | tail -1)" -lt $((rows / 1024 * 70 * 5 + 1000000)) ]; then
    echo "bench: no room for $rows rows" >&2
    continue
  fi
  # The second file in another order, with every 50,000th value another; 7919 is prime to all sizes.
  for side in a b; do
    awk -v n="$rows" -v side=$side 'BEGIN {
      print "k,name,at,amount"; step = side == "a" ? 7919 : 104729
      for (i = 0; i < n; i++) {
        k = (i * step) % n
        printf "%012d,user %d of some name,2024-03-30T20:%02d:%02dZ,%d.%02d\n", k, k, k % 60, k % 59, k % 9973, (side == "b" && k % 50000 == 7) ? 1 : 0
      }
    }' > "out/$side.csv"
  done
  run "haulier diff, $rows rows" "$haulier" diff out/a.csv out/b.csv --key k --no-progress --show 0
  run "haulier diff --exact, $rows rows" "$haulier" diff out/a.csv out/b.csv --key k --no-progress --show 0 --exact --spill out
done
if [ -s "$times" ]; then
  heading 'peak memory of --memory 256M over sizes'
  table
fi
rm -f out/a.csv out/b.csv
