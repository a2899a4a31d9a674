# The same rows in PostgreSQL and MariaDB, 100 of them different. Sourced by validate.sh; the servers are those of
# scripts/services.sh, and are stopped again where this starts them.
rows=${VALIDATE_DB_ROWS-1000000}
if [ -n "$rows" ]; then
  already=$("$HAULIER_ROOT/scripts/services.sh" status | grep -c ' up' || true)
  "$HAULIER_ROOT/scripts/services.sh" start >&2
  [ "$already" = 3 ] || trap '"$HAULIER_ROOT/scripts/services.sh" stop >&2' EXIT
  . "$HAULIER_ROOT/target/services/env"
  pg=${HAULIER_TEST_POSTGRES_URL%/*}/haulier_bench
  host=${HAULIER_TEST_MYSQL_URL#*@}; host=${host%/*}
  maria=(mariadb --no-defaults --protocol=tcp -h "${host%:*}" -P "${host#*:}" -u root --local-infile=1 --default-character-set=utf8mb4)
  columns=email,full_name,oxygen_uid,plan,created_at,balance
  data=data/$rows
  [ -f "$data/b.csv" ] || python3 gen.py "$rows" "$data"
  psql -q "$HAULIER_TEST_POSTGRES_URL" -c 'drop database if exists haulier_bench' -c 'create database haulier_bench' >&2
  PGTZ=UTC psql -q "$pg" -c "create table acc(id bigserial primary key, email text, full_name text, oxygen_uid uuid, plan text,
    created_at timestamptz(6), balance numeric(14,2))" -c "\\copy acc($columns) from '$data/a.csv' csv header" -c 'create unique index on acc(oxygen_uid)' -c 'analyze acc' >&2
  "${maria[@]}" -e "drop database if exists haulier_bench; create database haulier_bench; set global local_infile=1"
  "${maria[@]}" haulier_bench -e "set time_zone='+00:00', unique_checks=0; create table acc(id bigint auto_increment primary key,
    email varchar(190) not null, full_name varchar(200), oxygen_uid char(36) character set ascii not null, plan varchar(20),
    created_at datetime(6), balance decimal(14,2)) charset utf8mb4; load data local infile '$data/b.csv' into table acc character set utf8mb4
    fields terminated by ',' optionally enclosed by '\"' escaped by '' lines terminated by '\n' ignore 1 lines ($columns); alter table acc add unique key (oxygen_uid); analyze table acc" >&2

  mkdir -p db
  cat > db/plan.toml <<'PLAN'
name = "bench"
tenant = "account"
[[entity]]
name = "account"
source = { table = "acc", key = ["id"] }
natural_key = ["oxygen_uid"]
extract = ["oxygen_uid", "email", "full_name", "plan", "created_at", "balance"]
stored = { table = "acc", key = ["id"] }
push = { shape = "put", path = "/accounts/{oxygen_uid}", id = "/id" }
fields = { oxygen_uid = { column = "oxygen_uid", as = "uuid" }, email = "email", full_name = "full_name", plan = "plan", created_at = { column = "created_at", as = "rfc3339" }, balance = { column = "balance", as = "decimal(14,2)" } }
PLAN
  printf '%s\n' '[source]' "url = \"$pg\"" '[queue]' 'url = "embedded:queue.sqlite"' '[ledger]' 'url = "sqlite:ledger.sqlite"' \
    '[target]' 'base_url = "http://127.0.0.1:9"' '[target.sql]' "url = \"mysql://root@$host/haulier_bench\"" \
    '[produce]' "fibres = ${VALIDATE_FIBRES:-2}" "chunk = ${VALIDATE_CHUNK:-5000}" > db/site.toml
  canonical_pg="oxygen_uid::text, email, full_name, plan, to_char(created_at at time zone 'UTC','YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), balance::text"
  canonical_my="oxygen_uid, email, full_name, plan, date_format(created_at,'%Y-%m-%dT%H:%i:%s.%fZ'), balance"
  copy() { psql -q "$pg" -c "copy (select $1 from acc) to stdout"; }
  batch() { "${maria[@]}" haulier_bench --batch --quick -N -e "select $1 from acc"; }
  with_tools() {
    copy "$canonical_pg" | sort -S 512M -T out > out/pg.sorted & batch "$canonical_my" | sort -S 512M -T out > out/my.sorted & wait
    comm -3 out/pg.sorted out/my.sorted | wc -l
  }
  # `time` starts a program, so the functions go into a shell of their own.
  timed() { run "$1" bash -c "$(declare -p maria pg canonical_pg canonical_my columns); $(declare -f copy batch with_tools); $2"; }
  : > "$times"
  for _ in $(seq "$REPS"); do
    run 'haulier validate diff, 256 MiB' "$haulier" validate diff --plan db/plan.toml --site db/site.toml --no-progress --json
    timed 'PostgreSQL COPY' 'copy "$columns" > out/pg'
    timed 'mariadb --batch' 'batch "$columns" > out/my'
    timed 'COPY, --batch + sort + comm' with_tools
    [ ! -x venv/bin/reladiff ] || run 'reladiff' venv/bin/reladiff "$pg" acc "mysql://root@$host/haulier_bench" acc -k oxygen_uid -c email -c full_name -c plan -c created_at -c balance -j 2
  done
  heading "$rows rows in PostgreSQL against MariaDB, 100 differences"
  table
  rm -f out/pg* out/my*
  psql -q "$HAULIER_TEST_POSTGRES_URL" -c 'drop database haulier_bench' >&2
  "${maria[@]}" -e 'drop database haulier_bench'
fi
