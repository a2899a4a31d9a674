#!/usr/bin/env bash
# How exactly a rate is kept and how quickly a change acts, seen by the target, over three worker processes on RabbitMQ and PostgreSQL.
set -euo pipefail
export ROWS=130000
"$HAULIER_ROOT/scripts/services.sh" start
. "$HAULIER_ROOT/target/services/env"
. "$(dirname "$0")/sandbox.env"
name=bench_$(date +%s)
cat > site.toml <<SITE
[source]
url = "sqlite:source.sqlite"
[queue]
url = "${HAULIER_TEST_AMQP_URL/guest:guest@/guest@}"
password = { env = "BENCH_AMQP_PASSWORD" }
api_url = "${HAULIER_TEST_AMQP_API_URL/guest:guest@/}"
name = "$name"
[ledger]
url = "$HAULIER_TEST_POSTGRES_URL"
schema = "$name"
[target]
base_url = "http://127.0.0.1:7714/api/v1"
auth = { bearer = { file = "hq.token" } }
[push]
workers = 48
rate = 5
SITE
export BENCH_AMQP_PASSWORD=guest
tidy() {
  for queue in "" .dead .delay.short .delay.medium .delay.long; do curl -sfXDELETE "$HAULIER_TEST_AMQP_API_URL/api/queues/%2F/$name$queue" >/dev/null || true; done
  psql -q "$HAULIER_TEST_POSTGRES_URL" -c "set client_min_messages = error" -c "drop schema if exists $name cascade" || true
}
trap tidy EXIT
python3 "$HAULIER_ROOT/scripts/bench.d/rate.py"
