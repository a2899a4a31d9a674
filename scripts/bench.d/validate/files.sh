# Two CSV files with 100 differences, unsorted and sorted. Sourced by validate.sh.
qsv=$(command -v qsvlite qsv "$at/qsvroot/bin/qsvlite" 2>/dev/null | head -1 || true)
for rows in ${VALIDATE_ROWS-1000000 5000000}; do
  data=data/$rows
  [ -f "$data/b.csv" ] || python3 gen.py "$rows" "$data"
  [ -f "$data/b.sorted" ] || peers/presort.sh "$data"
  for side in a b; do
    # Key first, as an extract has it, with its header.
    [ -f "$data/$side.key.csv" ] || { echo email,full_name,oxygen_uid,plan,created_at,balance; cat "$data/$side.sorted"; } > "$data/$side.key.csv"
  done
  : > "$times"
  files=("$data/a.csv" "$data/b.csv" --no-progress --show 0)
  for _ in $(seq "$REPS"); do
    run 'unsorted: haulier, 256 MiB' "$haulier" diff "${files[@]}" --key oxygen_uid
    run 'unsorted: haulier --exact, 256 MiB' "$haulier" diff "${files[@]}" --key oxygen_uid --exact --spill out
    run 'unsorted: sort + comm, 1 GB' peers/sortcomm.sh "$data"
    run 'unsorted: DuckDB full join' venv/bin/python peers/duck_join.py "$data"
    run 'unsorted: polars join' venv/bin/python peers/polars_join.py "$data"
    [ -z "$qsv" ] || run 'unsorted: qsv diff' "$qsv" diff -k 2 "$data/a.csv" "$data/b.csv"
    run 'sorted: haulier --sorted' "$haulier" diff "$data/a.key.csv" "$data/b.key.csv" --no-progress --show 0 --key email --sorted
    run 'sorted: comm' peers/commonly.sh "$data"
    run 'sorted: diff' peers/diffonly.sh "$data"
  done
  heading "$rows rows a side in files"
  table
done
