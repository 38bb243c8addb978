#!/usr/bin/env bash
# Becomes Airflow's API server and web interface:
#
#   docker/scripts/api_server.sh LOG_INS [OPTION...]
#
# Airflow opens the file of its log-ins for writing, so it gets a copy, and the secret stays
# read-only. AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE names the copy.
set -euo pipefail

log_ins=${1:?expected the file of the log-ins}
shift
copy=${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:?is not set; expected where the copy goes}
install --mode=0600 "$log_ins" "$copy"
exec airflow api-server "$@"
