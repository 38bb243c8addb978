#!/usr/bin/env bash
# Makes PostgreSQL ready, at every start; what is there already stays as it is:
#
#   docker/scripts/prepare_database.sh SECRETS ROLES_SQL
#
# - the role `airflow` and its database, which nobody else may enter;
# - the warehouse's database `coldstart`, with the roles of schemas/warehouse/postgresql_roles.sql;
# - the passwords of both roles, as they are in SECRETS/airflow.
#
# PGHOST, PGPORT and PGUSER name the server and its administrator, whose password is in SECRETS too.
set -euo pipefail

secrets=${1:?expected the folder of the secrets}
roles_sql=${2:?expected schemas/warehouse/postgresql_roles.sql}

PGPASSWORD=$(<"$secrets/administrator/postgres_password")
# No statement is logged, failed or not: two of them hold a password.
PGOPTIONS="-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic"
export PGPASSWORD PGOPTIONS SECRETS=$secrets/airflow
run_sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }

run_sql --dbname postgres <<'SQL'
SELECT 'CREATE ROLE airflow LOGIN' WHERE to_regrole('airflow') IS NULL \gexec
SELECT 'CREATE DATABASE airflow OWNER airflow'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'airflow') \gexec
REVOKE ALL ON DATABASE airflow FROM PUBLIC;
SELECT 'CREATE DATABASE coldstart'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'coldstart') \gexec
SQL
run_sql --dbname coldstart --file "$roles_sql"
run_sql --dbname postgres <<'SQL'
\set password `cat "$SECRETS/airflow_password"`
ALTER ROLE airflow PASSWORD :'password';
\set password `cat "$SECRETS/coldstart_writer_password"`
ALTER ROLE coldstart_writer PASSWORD :'password';
SQL
echo "PostgreSQL has the databases airflow and coldstart, and the roles that use them"
