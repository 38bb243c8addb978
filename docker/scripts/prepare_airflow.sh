#!/usr/bin/env bash
# Makes or upgrades Airflow's database, and its pools, at every start:
#
#   docker/scripts/prepare_airflow.sh POOLS_JSON
#
# A pool that was made by hand stays; one of the file gets the slots that the file says.
set -euo pipefail

pools=${1:?expected the file of the pools, dags/pools.json}
airflow db migrate
airflow pools import "$pools"
