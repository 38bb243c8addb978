"""
### The nightly cold-start pipeline

Turns the interactions up to the end of the day `ds` into two published tables: the **evidence
items** to show new users, and the **scores** of cold users from a meta-learned model that adapts
to the few things they did. Nothing is published that did not pass its checks and its gate.

Each task runs one command line for one `ds` and replaces exactly that day's partition, so a task
or a day may be run again at any time. A run for `ds` sees nothing that happened after that day:
a backfill gives what that night would have given.

**To run a day by hand**, trigger the DAG with the parameter `ds`. **To run past days again**,
use Trigger > Backfill: each run covers the day of its logical date.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, Param
from step_operator import job, model_job, model_step

from schemas.learners import DEFAULT, known

PARAMS = {
    "ds": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Day to cover (ds)",
        description="The run sees events up to the end of this day (UTC). Empty: its own date.",
    ),
    "model": Param(
        DEFAULT,
        type="string",
        enum=known(),
        title="Model",
        description="The meta-learner to train, evaluate and publish (docs/learners).",
    ),
}

with DAG(
    dag_id="coldstart_nightly",
    description="Evidence items and cold-user scores, published every night",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(1970, 1, 1, tzinfo=UTC),  # no day is too early; its data may be
    catchup=False,
    default_args={"retries": 0},
    tags=["cold-start"],
    params=PARAMS,
):
    ingest = job("ingest", "Source to interactions; rows that break a rule are quarantined.")
    check_interactions = job("check_interactions", "Stops the night on bad interactions.")
    build_profiles = job("build_profiles", "Vocabulary, user and item profiles as of `ds`.")
    build_episodes = job("build_episodes", "Support and query of every task, by scenario.")
    build_metapaths = job("build_metapaths", "Neighbours of items over the data set's network.")
    check_features = job(
        "check_features", "Stops the night on bad profiles, episodes or neighbours."
    )
    meta_train = model_step("meta_train", "train", "Meta-trains the model, on a GPU if present.")
    evaluate = model_step("evaluate", "evaluate", "Four scenarios, beside the baselines.")
    gate = model_job("gate", "Stops the night when the model is not fit to be published.")
    select_evidence = model_step("select_evidence", "evidence", "The items to show new users.")
    score_cold_users = model_step("score_cold_users", "score", "The best items of each cold user.")
    check_outputs = model_job("check_outputs", "Stops the night on bad evidence or scores.")
    publish = model_job("publish", "Replaces the day in the warehouse, in one transaction.")

    ingest >> check_interactions >> build_profiles >> [build_episodes, build_metapaths]
    [build_episodes, build_metapaths] >> check_features
    check_features >> meta_train >> evaluate >> gate >> [select_evidence, score_cold_users]
    [select_evidence, score_cold_users] >> check_outputs >> publish
