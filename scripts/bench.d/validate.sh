#!/usr/bin/env bash
# Two CSV files with 100 differences: `haulier diff` beside GNU sort and comm, DuckDB and polars, in turn, in one stretch of time.
# VALIDATE_ROWS="1000000 5000000" sets the sizes. VALIDATOR_PEERS names the folder with the generator and the peers' scripts.
set -euo pipefail
peers=${VALIDATOR_PEERS:-$HAULIER_ROOT/../shared/peers/validator} at=$HAULIER_BENCH/validator
[ -f "$peers/gen.py" ] || { echo "bench: set VALIDATOR_PEERS to the folder of the peers' scripts" >&2; exit 2; }
profile=--profile=$BENCH_PROFILE
cargo build "$profile" --quiet --manifest-path "$HAULIER_ROOT/Cargo.toml" -p haulier-validator --example diff_speed
speed=${CARGO_TARGET_DIR:-$HAULIER_ROOT/target}/$BENCH_PROFILE/examples/diff_speed
[ -d "$at" ] || { cp -r "$peers" "$at"; chmod -R u+w "$at"; }
cd "$at"
export VB=$at
mkdir -p out data
[ -x venv/bin/python ] || { python3 -m venv venv; venv/bin/pip install -q duckdb polars; }
for rows in ${VALIDATE_ROWS:-1000000 5000000}; do
  data=data/$rows
  [ -f "$data/b.csv" ] || python3 gen.py "$rows" "$data"
  [ -f "$data/b.sorted" ] || peers/presort.sh "$data"
  for side in a b; do
    # Key first, as an extract has it, with its header.
    [ -f "$data/$side.key.csv" ] || { echo email,full_name,oxygen_uid,plan,created_at,balance; cat "$data/$side.sorted"; } > "$data/$side.key.csv"
  done
  times=out/times.$rows
  : > "$times"
  run() { label=$1; shift; /usr/bin/time -f "$label\t%e\t%U\t%S\t%M" -a -o "$times" "$@" > out/answer 2> out/error || { echo "bench: failed: $label" >&2; cat out/error >&2; }; }
  for _ in $(seq "$REPS"); do
    run 'unsorted: haulier, 256 MiB' "$speed" "$data/a.csv" "$data/b.csv" oxygen_uid digests 256
    run 'unsorted: haulier --exact, 256 MiB' "$speed" "$data/a.csv" "$data/b.csv" oxygen_uid exact 256
    run 'unsorted: sort + comm, 1 GB' peers/sortcomm.sh "$data"
    run 'unsorted: DuckDB full join' venv/bin/python peers/duck_join.py "$data"
    run 'unsorted: polars join' venv/bin/python peers/polars_join.py "$data"
    run 'sorted: haulier --sorted' "$speed" "$data/a.key.csv" "$data/b.key.csv" email sorted
    run 'sorted: comm' peers/commonly.sh "$data"
    run 'sorted: diff' peers/diffonly.sh "$data"
  done
  echo "$rows rows a side, load $(cut -d' ' -f1 /proc/loadavg) (medians of $REPS)"
  python3 - "$times" <<'PY'
import collections, statistics, sys
found = collections.defaultdict(list)
for line in open(sys.argv[1]):
    parts = line.rstrip('\n').split('\t')
    if len(parts) == 5:
        found[parts[0]].append([float(part) for part in parts[1:]])
print(f"{'':36}{'wall s':>8}{'cpu s':>8}{'MB':>8}")
for name, runs in found.items():
    wall, cpu = statistics.median(run[0] for run in runs), statistics.median(run[1] + run[2] for run in runs)
    print(f'{name:36}{wall:8.2f}{cpu:8.2f}{max(run[3] for run in runs) / 1024:8.0f}')
PY
done
