"""One machine as the platform: set-up, Airflow and Spark as child processes, progress.

Nothing the pipeline promises depends on this package: a team runs the same DAG on its Airflow.
"""
