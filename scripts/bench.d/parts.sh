#!/usr/bin/env bash
# The parts alone: the walk beside COPY, the queue, the ledger.
set -euo pipefail
. "$(dirname "$0")/bench.env"
example() { (cd "$HAULIER_ROOT" && cargo run --profile "$BENCH_PROFILE" --quiet -p "$1" --example "$2" -- "${@:3}"); }
columns=id,external,email,name,plan,created_at,updated_at,balance
copy=$( { /usr/bin/time -f %e psql -qc "COPY (SELECT $columns FROM accounts) TO STDOUT" >/dev/null; } 2>&1 )
echo "COPY accounts: 200000 rows in $copy s"
example haulier-source walk_speed "$PG_DSN" accounts id "$columns"
wipe
example haulier-queue queue_speed 127.0.0.1 "$AMQP_PORT" guest guest
venv/bin/python -c "import sys; sys.argv = ['bench.py', 'table', '--tag', 'none']; import bench; bench.wipe('haulier-speed')" >/dev/null
rm -f "$at"/speed.sqlite*
example haulier-ledger ledger_speed sqlite "$at/speed.sqlite" 200000
