#!/usr/bin/env bash
# The validator beside its peers, in turn, in one stretch of time: two files, two databases, and memory over sizes.
#   VALIDATE_ROWS="1000000 5000000"   sizes of the two files                       (empty: leave out)
#   VALIDATE_DB_ROWS=1000000          rows in PostgreSQL against those in MariaDB  (empty: leave out)
#   VALIDATE_MEMORY_ROWS="100000 1000000 5000000 20000000"  sizes for peak memory  (what the disk has no room for is left out)
#   VALIDATE_PATIENCE=900             seconds that one run may take
# reladiff, DuckDB and polars are installed beside the peers' scripts; qsv is used where `qsvlite` or `qsv` is found.
set -euo pipefail
. "$(dirname "$0")/validate.env"
parts=$HAULIER_ROOT/scripts/bench.d/validate
[ -x venv/bin/python ] || { python3 -m venv venv; venv/bin/pip install -q duckdb polars reladiff psycopg2-binary mysql-connector-python; }
. "$parts/files.sh"
. "$parts/databases.sh"
. "$parts/memory.sh"
