#!/usr/bin/env bash
# Makes the user that every process runs as, and the folders that volumes are mounted on:
#
#   docker/scripts/add_user.sh [ROOT]      # ROOT is the file system's, / unless it is named
#
# A new named volume takes the owner and the mode of the folder it is mounted on.
set -euo pipefail

root=${1:-/}
id=10001 # also in compose.yaml and docker/kubernetes/: volumes remember numbers, not names

# Java and Airflow ask for their user's name. There is no home to write to but /tmp.
echo "coldstart:x:$id:" >>"$root/etc/group"
echo "coldstart:x:$id:$id:coldstart:/tmp:/usr/sbin/nologin" >>"$root/etc/passwd"

own() { install --directory --owner=$id --group=$id "$@"; }
own --mode=0750 "$root/var/lib/coldstart" "$root/var/log/airflow" "$root/scratch"
own --mode=0700 "$root/secrets/airflow" "$root/secrets/spark"
own --mode=0750 "$root/secrets/administrator" # PostgreSQL's user reads this one, by its group
