#!/usr/bin/env bash
# Becomes COMMAND, whose Spark talks to no process that does not know the secret:
#
#   docker/scripts/with_spark_secret.sh SECRET_FILE COMMAND...
#
# The secret goes by a file that only its owner reads: an environment or a command line can be seen.
set -euo pipefail

secret_file=${1:?expected the file of the secret}
shift
SPARK_CONF_DIR=$(mktemp --directory --tmpdir spark-conf.XXXXXX) # mode 0700
export SPARK_CONF_DIR
cat >"$SPARK_CONF_DIR/spark-defaults.conf" <<CONF
spark.authenticate         true
spark.authenticate.secret  $(<"$secret_file")
spark.network.crypto.enabled  true
spark.master.rest.enabled  false
CONF
exec "$@"
