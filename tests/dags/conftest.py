"""Airflow reads its settings when it is first imported, so they are set here, before any test."""

import atexit
import os
import shutil
import sys
import tempfile

from schemas.run.settings import REPOSITORY

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(REPOSITORY / "dags" / "plugins")
for folder in ("dags/plugins", "dags"):  # as Airflow does with its folders of DAGs and plugins
    sys.path.insert(0, str(REPOSITORY / folder))
