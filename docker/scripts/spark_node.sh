#!/usr/bin/env bash
# Becomes a node of a Spark cluster, on the Java that a step would choose:
#
#   docker/scripts/spark_node.sh Master [OPTION...]
#   docker/scripts/spark_node.sh Worker [OPTION...] spark://HOST:7077
#
# COLDSTART_HOME is where a wrapper around that Java may be written.
set -euo pipefail

kind=${1:?expected Master or Worker}
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${COLDSTART_PYTHON:-python}
ask_java='
from jobs.spark.java import java_home
from schemas.run.settings import Settings
print(java_home(Settings.from_environment().home))'
ask_spark='
import importlib.util
print(importlib.util.find_spec("pyspark").submodule_search_locations[0])'
JAVA_HOME=$("$python" -c "$ask_java")
SPARK_HOME=$("$python" -c "$ask_spark")
export JAVA_HOME SPARK_HOME
exec "$SPARK_HOME/bin/spark-class" "org.apache.spark.deploy.${kind,,}.$kind" "$@"
