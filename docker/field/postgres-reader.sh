#!/usr/bin/env bash
# The login that haulier reads with: it may read, and nothing else.
# The image's entry point has put the secret into POSTGRES_PASSWORD; psql takes it from there, so no list of processes shows it.
set -euo pipefail
: "${POSTGRES_PASSWORD:?}"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password POSTGRES_PASSWORD
create role haulier_reader login password :'password';
alter role haulier_reader set default_transaction_read_only = on;
grant usage on schema public to haulier_reader;
grant select on all tables in schema public to haulier_reader;
SQL
