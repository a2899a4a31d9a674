#!/usr/bin/env bash
# The tolerance law against a target of 8 slots at 80 ms (100 requests a second at most), beside a fixed 64.
# SECONDS_EACH=180 measures each for so long; the first minute is the ramp and does not count.
set -euo pipefail
root=$HAULIER_ROOT at=$HAULIER_BENCH/ramp seconds=${SECONDS_EACH:-180}
(cd "$root" && cargo build --profile "$BENCH_PROFILE" --quiet --bin haulier --bin hq-sandbox)
bin=$root/target/$BENCH_PROFILE
[ "$BENCH_PROFILE" = dev ] && bin=$root/target/debug
rm -rf "$at" && mkdir -p "$at" && cd "$at"
python3 - <<'PY'
import sqlite3
source = sqlite3.connect('source.sqlite')
source.execute('create table accounts (id integer primary key, external_id text not null unique, name text not null)')
rows = ((n, f'00000000-0000-4000-8000-{n:012d}', f'Account {n}') for n in range(1, 100_001))
source.executemany('insert into accounts values (?, ?, ?)', rows)
source.commit()
PY
cat > plan.toml <<'PLAN'
name = "ramp"
tenant = "account"
[[entity]]
name = "account"
source = { table = "accounts", key = ["id"] }
natural_key = ["external_id"]
push = { shape = "put", path = "/accounts/by-external-id/{external_id}", id = "/id" }
[entity.fields]
external_id = "external_id"
name = "name"
PLAN
printf bench > hq.token && chmod 600 hq.token

measure() { # NAME RAMP
  rm -rf state hq.db
  HQ_SANDBOX_TOKEN=bench "$bin/hq-sandbox" --listen 127.0.0.1:7713 --store memory --slots 8 --latency-ms 80 2>/dev/null &
  local target=$!
  cat > site.toml <<SITE
[source]
url = "sqlite:source.sqlite"
[queue]
url = "embedded:state/queue.sqlite"
[ledger]
url = "sqlite:state/ledger.sqlite"
[target]
base_url = "http://127.0.0.1:7713/api/v1"
auth = { bearer = { file = "hq.token" } }
[push]
workers = 64
[tolerance]
p95 = "240ms"
ramp = "$2"
SITE
  "$bin/haulier" run --no-progress 2>"$1.log" &
  local run=$!
  sleep 60
  timeout "$seconds" "$bin/haulier" status --watch --json > "$1.jsonl" 2>/dev/null || true
  kill "$run" "$target"; wait "$run" "$target" 2>/dev/null || true
  python3 - "$1" <<'PY'
import json, statistics, sys
seen = [json.loads(line) for line in open(sys.argv[1] + '.jsonl')]
mid = lambda name: statistics.median(event[name] for event in seen if event[name] is not None)
print(f'{sys.argv[1]:10} {mid("requests_per_second"):8.1f} {mid("p50_ms"):8.0f} {mid("p95_ms"):8.0f} {mid("in_flight"):10.0f}')
PY
}

printf '%-10s %8s %8s %8s %10s\n' way rps p50_ms p95_ms in_flight
measure fixed-64 off
measure band auto
