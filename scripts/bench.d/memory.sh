#!/usr/bin/env bash
# Peak memory of a producer and of a worker, each a process of its own, over 10,000 and over 1,000,000 records.
set -euo pipefail
. "$(dirname "$0")/bench.env"
for n in 10000 1000000; do
  plan "$at/run" "$n"; wipe; target 0; cd "$at/run"
  peak() { exec /usr/bin/time -f %M -o "$1.peak" timeout 900 "$HAULIER_ROOT/target/$BENCH_PROFILE/haulier" "$1" --no-progress "${@:2}" >"$1.log" 2>&1; }
  begin=$(date +%s.%N)
  peak produce --fibres 2 & producer=$!
  peak work --workers 64 & worker=$!
  # A worker waits for a producer that comes back; here none will.
  wait "$producer" || { tail -3 produce.log >&2; kill "$worker"; exit 1; }
  wait "$worker" || { tail -3 work.log >&2; exit 1; }
  secs=$(python3 -c "import time; print(f'{time.time() - $begin:.1f}')")
  cd "$at/pipeline"
  stored=$(curl -sf "$TARGET_URL/count" | python3 -c 'import json, sys; print(json.load(sys.stdin)["distinct"])')
  echo "$n records: $stored stored in $secs s, producer $(($(tail -1 "$at/run/produce.peak") / 1024)) MiB, worker $(($(tail -1 "$at/run/work.peak") / 1024)) MiB at most"
done
