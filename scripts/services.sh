#!/usr/bin/env bash
# Starts and stops the servers that tests and benchmarks use: RabbitMQ, PostgreSQL and MariaDB, on loopback, on ports of
# their own, with their data under target/services. Installs what is missing (apt, as root or through sudo).
#   scripts/services.sh start | stop | status | install
#   scripts/services.sh start SERVER | stop SERVER | kill9 SERVER      one of rabbitmq, postgres, mariadb
#   scripts/services.sh ctl ARGUMENT...                                rabbitmqctl on the broker
# `start` writes target/services/env, which sets HAULIER_TEST_AMQP_URL, _AMQP_API_URL, _POSTGRES_URL and _MYSQL_URL.
# A variable of that name that is set already is kept, and that server is not started here.
# For a second set of servers, to be killed in tests: set HAULIER_SERVICES (their folder) and HAULIER_{AMQP,AMQP_API,POSTGRES,MYSQL}_PORT.
# HAULIER_TLS names a folder with ca.pem, server.pem and server.key: then all three speak TLS as well, the databases on their port, the
# broker on HAULIER_AMQP_PORT + 3, its API on HAULIER_AMQP_API_PORT + 1.
# HAULIER_AMQP_CONSUMER_TIMEOUT (milliseconds) makes a broker impatient with consumers that settle nothing.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
home=${HAULIER_SERVICES:-$root/target/services}
amqp_port=${HAULIER_AMQP_PORT:-56720} amqp_api_port=${HAULIER_AMQP_API_PORT:-56725} postgres_port=${HAULIER_POSTGRES_PORT:-56731} mysql_port=${HAULIER_MYSQL_PORT:-56733}

say() { printf 'services: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
first() { for path in "$@"; do [ -x "$path" ] && { printf '%s' "$path"; return; }; done; return 1; }
rabbit_sbin() { local d; for d in /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin; do [ -d "$d" ] && { printf '%s' "$d"; return; }; done; return 1; }
postgres_bin() { local d; for d in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do [ -x "$d/initdb" ] && { printf '%s' "$d"; return; }; done; return 1; }
mariadb_server() { first /usr/sbin/mariadbd /usr/libexec/mariadbd /usr/sbin/mysqld; }
alive() { [ -s "$1" ] && kill -0 "$(head -n 1 "$1")" 2>/dev/null; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# As root, a server that refuses root runs as its own user; otherwise as whoever calls.
as_user() { local user=$1; shift; if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }
wait_for() { # NAME SECONDS COMMAND...
  local name=$1 left=$(($2 * 5)); shift 2
  until "$@" >/dev/null 2>&1; do left=$((left - 1)); [ $left -gt 0 ] || die "$name did not come up; see $home/*/log"; sleep 0.2; done
}

install() {
  local want=()
  [ -n "${HAULIER_TEST_AMQP_URL:-}" ] || rabbit_sbin >/dev/null || want+=(rabbitmq-server)
  [ -n "${HAULIER_TEST_POSTGRES_URL:-}" ] || postgres_bin >/dev/null || want+=(postgresql)
  [ -n "${HAULIER_TEST_MYSQL_URL:-}" ] || mariadb_server >/dev/null || want+=(mariadb-server)
  command -v curl >/dev/null || want+=(curl)
  python3 -c 'import ensurepip' 2>/dev/null || want+=(python3-venv)
  [ ${#want[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "missing: ${want[*]}; install them, or set HAULIER_TEST_{AMQP,AMQP_API,POSTGRES,MYSQL}_URL"
  local sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
  say "installing ${want[*]}"
  "${sudo[@]}" apt-get update -qq >&2
  # The packages' own services stay off: these servers are started here, on ports of their own.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${want[@]}" >&2
}

# A copy of the certificate and its key that a server's own user, and nobody else, can read.
tls_files() { # SERVER USER
  [ -n "${HAULIER_TLS:-}" ] || return 1
  local d=$home/$1/tls; mkdir -p "$d"; command install -m 600 "$HAULIER_TLS"/{ca.pem,server.pem,server.key} "$d/"
  [ "$(id -u)" != 0 ] || [ -z "$2" ] || chown -R "$2:" "$d"
}

# What broker and rabbitmqctl find each other by.
rabbit_env() {
  local d=$home/rabbitmq
  export HOME=$d/home RABBITMQ_NODENAME=haulier@localhost ERL_EPMD_PORT=$((amqp_port + 2)) ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_CONF_ENV_FILE=$d/etc/none
  PATH=$(rabbit_sbin):$PATH
}

start_rabbit() {
  local d=$home/rabbitmq; mkdir -p "$d"/{mnesia,log,home,etc}
  if ! alive "$d/node.pid"; then
    printf '%s\n' "listeners.tcp.1 = 127.0.0.1:$amqp_port" 'management.tcp.ip = 127.0.0.1' "management.tcp.port = $amqp_api_port" \
      'vm_memory_high_watermark.relative = 0.4' 'disk_free_limit.absolute = 50MB' 'collect_statistics_interval = 1000' > "$d/etc/rabbitmq.conf"
    if tls_files rabbitmq ''; then
      local files="cacertfile = $d/tls/ca.pem|certfile = $d/tls/server.pem|keyfile = $d/tls/server.key"
      { printf '%s\n' "listeners.ssl.1 = 127.0.0.1:$((amqp_port + 3))" 'management.ssl.ip = 127.0.0.1' "management.ssl.port = $((amqp_api_port + 1))"
        tr '|' '\n' <<< "$files" | sed 's/^/ssl_options./'; tr '|' '\n' <<< "$files" | sed 's/^/management.ssl./'; } >> "$d/etc/rabbitmq.conf"
    fi
    echo '[rabbitmq_management].' > "$d/etc/enabled_plugins"
    local patience=; [ -z "${HAULIER_AMQP_CONSUMER_TIMEOUT:-}" ] || patience="{rabbit, [{consumer_timeout, $HAULIER_AMQP_CONSUMER_TIMEOUT}, {channel_tick_interval, 500}]}"
    echo "[$patience]." > "$d/etc/advanced.config"
    ( rabbit_env; export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$amqp_port RABBITMQ_DIST_PORT=$((amqp_port + 1)) \
        RABBITMQ_MNESIA_BASE=$d/mnesia RABBITMQ_LOG_BASE=$d/log RABBITMQ_CONFIG_FILE=$d/etc/rabbitmq RABBITMQ_PID_FILE=$d/node.pid \
        RABBITMQ_ADVANCED_CONFIG_FILE=$d/etc/advanced.config RABBITMQ_ENABLED_PLUGINS_FILE=$d/etc/enabled_plugins
      setsid rabbitmq-server > "$d/log/console" 2>&1 < /dev/null & )
  fi
  wait_for RabbitMQ 90 curl -fsu guest:guest "http://127.0.0.1:$amqp_api_port/api/overview"
}

start_postgres() {
  local d=$home/postgres bin; bin=$(postgres_bin); mkdir -p "$d"
  if ! alive "$d/data/postmaster.pid"; then
    [ "$(id -u)" = 0 ] && chown postgres: "$d" && open_path "$d"
    [ -f "$d/data/PG_VERSION" ] || as_user postgres "$bin/initdb" -D "$d/data" -A trust -U postgres --encoding=UTF8 --locale=C.UTF-8 > "$d/log" 2>&1
    local tls=(); ! tls_files postgres postgres || tls=(-c ssl=on -c "ssl_cert_file=$d/tls/server.pem" -c "ssl_key_file=$d/tls/server.key")
    ( cd /; as_user postgres setsid "$bin/postgres" -D "$d/data" -p "$postgres_port" -k "$d" -c listen_addresses=127.0.0.1 -c max_connections=200 "${tls[@]}" >> "$d/log" 2>&1 < /dev/null & )
  fi
  wait_for PostgreSQL 60 "$bin/pg_isready" -q -h 127.0.0.1 -p "$postgres_port" -U postgres
}

start_mariadb() {
  local d=$home/mariadb; mkdir -p "$d"
  if ! alive "$d/pid"; then
    [ "$(id -u)" = 0 ] && chown mysql: "$d" && open_path "$d"
    [ -d "$d/data/mysql" ] || as_user mysql mariadb-install-db --no-defaults --datadir="$d/data" --auth-root-authentication-method=normal --skip-test-db > "$d/log" 2>&1
    local tls=(); ! tls_files mariadb mysql || tls=(--ssl-ca="$d/tls/ca.pem" --ssl-cert="$d/tls/server.pem" --ssl-key="$d/tls/server.key")
    ( cd /; as_user mysql setsid "$(mariadb_server)" --no-defaults --datadir="$d/data" --socket="$d/socket" --pid-file="$d/pid" --port="$mysql_port" \
        --bind-address=127.0.0.1 --max-connections=300 --character-set-server=utf8mb4 "${tls[@]}" >> "$d/log" 2>&1 < /dev/null & )
  fi
  wait_for MariaDB 60 mariadb-admin --no-defaults --protocol=tcp -h 127.0.0.1 -P "$mysql_port" -u root ping
}

# A server that runs as another user must be able to pass the folders above its data.
open_path() { local p=$1; while [ "$p" != / ]; do p=$(dirname "$p"); chmod o+x "$p" 2>/dev/null || true; done; }

stop_one() { # NAME PIDFILE
  alive "$2" || return 0
  local pid left=150; pid=$(head -n 1 "$2"); say "stopping $1 (pid $pid)"; kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do left=$((left - 1)); [ $left -gt 0 ] || { kill -9 "$pid"; break; }; sleep 0.2; done
}

pid_file() { case $1 in rabbitmq) echo "$home/rabbitmq/node.pid";; postgres) echo "$home/postgres/data/postmaster.pid";; mariadb) echo "$home/mariadb/pid";; *) die "no server is called $1";; esac; }

stop_epmd() { for p in $(pgrep -f "epmd .*$((amqp_port + 2))" || true); do kill "$p" 2>/dev/null || true; done; }

# As in a power cut, for the server: it gets to say nothing, and its address is free afterwards.
kill9() { # NAME
  local file pid; file=$(pid_file "$1"); alive "$file" || die "$1 is not running"
  pid=$(head -n 1 "$file"); kill -9 "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

if [ "${1:-}" = ctl ]; then
  shift; rabbit_env; exec rabbitmqctl "$@"
fi

if [ -n "${2:-}" ]; then
  mkdir -p "$home"
  case $1 in
  start) case $2 in rabbitmq) start_rabbit;; postgres) start_postgres;; mariadb) start_mariadb;; *) die "no server is called $2";; esac;;
  stop) stop_one "$2" "$(pid_file "$2")"; [ "$2" != rabbitmq ] || stop_epmd;;
  kill9) kill9 "$2";;
  *) die "$1 is not for one server";;
  esac
  exit 0
fi

case ${1:-} in
install) install;;
start)
  install; mkdir -p "$home"
  [ -n "${HAULIER_TEST_AMQP_URL:-}" ] || start_rabbit
  [ -n "${HAULIER_TEST_POSTGRES_URL:-}" ] || start_postgres
  [ -n "${HAULIER_TEST_MYSQL_URL:-}" ] || start_mariadb
  cat > "$home/env" <<ENV
export HAULIER_TEST_AMQP_URL=${HAULIER_TEST_AMQP_URL:-amqp://guest:guest@127.0.0.1:$amqp_port/%2f}
export HAULIER_TEST_AMQP_API_URL=${HAULIER_TEST_AMQP_API_URL:-http://guest:guest@127.0.0.1:$amqp_api_port}
export HAULIER_TEST_POSTGRES_URL=${HAULIER_TEST_POSTGRES_URL:-postgres://postgres@127.0.0.1:$postgres_port/postgres}
export HAULIER_TEST_MYSQL_URL=${HAULIER_TEST_MYSQL_URL:-mysql://root@127.0.0.1:$mysql_port/mysql}
ENV
  say "up; '. $home/env' sets the addresses";;
stop)
  stop_one MariaDB "$home/mariadb/pid"; stop_one PostgreSQL "$home/postgres/data/postmaster.pid"; stop_one RabbitMQ "$home/rabbitmq/node.pid"
  stop_epmd;;
status) for s in "rabbitmq $amqp_port" "postgres $postgres_port" "mariadb $mysql_port"; do set -- $s; if answers "$2"; then echo "$1 up on 127.0.0.1:$2"; else echo "$1 down"; fi; done;;
*) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2;;
esac
