#!/usr/bin/env bash
# The login that haulier reads with: it may read, and nothing else.
set -euo pipefail
psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$(cat "$POSTGRES_PASSWORD_FILE")" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role haulier_reader login password :'password';
alter role haulier_reader set default_transaction_read_only = on;
grant usage on schema public to haulier_reader;
grant select on all tables in schema public to haulier_reader;
SQL
