#!/usr/bin/env bash
# End to end beside other ways to do the same job, in one stretch of time: PostgreSQL -> RabbitMQ -> HTTP.
set -euo pipefail
. "$(dirname "$0")/bench.env"
cat > "$at/haulier.sh" <<RUN
#!/usr/bin/env bash
plan "$at/run" "\$N"; cd "$at/run"
exec "$HAULIER_ROOT/target/$BENCH_PROFILE/haulier" run --no-progress --workers "\$CONC" --fibres 2
RUN
chmod +x "$at/haulier.sh"
export PEER_JSON="{\"haulier\":{\"p\":[\"$at/haulier.sh\"],\"w\":null,\"nw\":0,\"env\":{},\"cwd\":\".\",\"q\":\"haulier\"}}"
export QUIET_WAIT=${QUIET_WAIT:-20}
tag=$(date +%m%d%H%M%S)
one() { timeout 400 venv/bin/python bench.py run "$@" --tag "$tag" --stall 60 >/dev/null || echo "bench: failed: $*" >&2; }
for _ in $(seq "$REPS"); do
  for peer in haulier node-k100 asyncio-k100 celery-batch; do one "$peer" --n 200000 --latency 0 --conc 64; done
  one celery-gevent --n 20000 --latency 0 --conc 64
  for peer in haulier node-k100; do one "$peer" --n 200000 --latency 20 --conc 256; done
  one haulier --n 20000 --latency 20 --conc 16
done
venv/bin/python bench.py table --tag "$tag" | sed 's/ *$//'
