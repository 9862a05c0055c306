#!/bin/sh
# Runs once, in the empty database of docker-compose.yml: the roles of a ledger, each with
# the password of its secret. What they may do is granted by `henji install`.
set -eu

password() { sed -E 's|^[^:]*://[^:]*:([^@]*)@.*$|\1|' "/run/secrets/$1_url"; }

for role in owner writer projector reader; do
  psql --username postgres --dbname henji --set ON_ERROR_STOP=1 --quiet \
    --set role="henji_$role" --set password="$(password "$role")" <<'SQL'
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
done
psql --username postgres --dbname henji --set ON_ERROR_STOP=1 --quiet <<'SQL'
ALTER DATABASE henji OWNER TO henji_owner;
REVOKE ALL ON DATABASE henji FROM PUBLIC;
GRANT CONNECT ON DATABASE henji TO henji_writer, henji_projector, henji_reader;
SQL
