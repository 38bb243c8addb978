"""
### The nightly cold-start pipeline

Turns the interactions up to the end of the day `ds` into two published tables: the **evidence
items** to show new users, and the **scores** of cold users from a meta-learned model that adapts
to the few things they did. Nothing is published that did not pass its checks; a new model that
fails the gate leaves the last published one in its place.

Each task runs one command line for one `ds` and replaces exactly that day's partition, so a task
or a day may be run again at any time. A run for `ds` sees nothing that happened after that day:
a backfill gives what that night would have given.

**To run a day by hand**, trigger the DAG with the parameter `ds`. **To run past days again**,
use Trigger > Backfill: each run covers the day of its logical date; leave `ds` empty there.

What to do when it fails, is late or is refused: `docs/operations.md`.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable
from alerts import kept_champion
from night_settings import DEADLINE, DEFAULT_ARGS, PARAMS
from night_steps import MODEL, PUBLISHED, check, job, model_step, spark_job
from report_links import ReportLink

with DAG(
    dag_id="coldstart_nightly",
    description="Evidence items and cold-user scores, published every night",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(1970, 1, 1, tzinfo=UTC),  # no day is too early; its data may be
    catchup=False,
    max_active_runs=4,  # the most days that the backfill form offers to run side by side
    default_args=DEFAULT_ARGS,
    deadline=DEADLINE,
    tags=["cold-start"],
    params=PARAMS,
):
    ingest = spark_job(
        "ingest",
        "Source to interactions; rows that break a rule are quarantined.",
        options={"dataset": "--dataset"},
    )
    check_interactions = check("check_interactions", "Stops the night on bad interactions.")
    build_profiles = spark_job("build_profiles", "Vocabulary, user and item profiles as of `ds`.")
    build_episodes = spark_job("build_episodes", "Support and query of every task, by scenario.")
    build_metapaths = spark_job("build_metapaths", "Neighbours of items over the network.")
    check_features = check(
        "check_features", "Stops the night on bad profiles, episodes or neighbours."
    )
    meta_train = model_step(
        "meta_train",
        "train",
        "Meta-trains the model, on a GPU if present.",
        epochs="--epochs",
        rank_by="--rank-by",
    )
    evaluate = model_step(
        "evaluate", "evaluate", "Four scenarios, beside the baselines and the last published model."
    )
    gate = job(
        "gate",
        "Decides which model is published: the new one, the last published one, or none.",
        options={**MODEL, "gate": "--choose"},
        on_success_callback=kept_champion,
    )
    select_evidence = model_step(
        "select_evidence",
        "evidence",
        "The items to show new users.",
        evidence_items="--evidence-items",
    )
    score_cold_users = model_step(
        "score_cold_users", "score", "The best items of each cold user.", top_k="--top-items"
    )
    check_outputs = check(
        "check_outputs", "Stops the night on bad evidence or scores.", options=MODEL
    )
    publish = job(
        "publish",
        "Replaces the day in the warehouse, in one transaction.",
        options=MODEL,
        only_if="publish",
        outlets=PUBLISHED,
    )
    report = job(
        "report",
        "One page on the night for people, however far it came.",
        options=MODEL,
        links=[ReportLink()],
    )

    ingest >> check_interactions >> build_profiles >> [build_episodes, build_metapaths]
    [build_episodes, build_metapaths] >> check_features
    check_features >> meta_train >> evaluate >> gate >> [select_evidence, score_cold_users]
    [select_evidence, score_cold_users] >> check_outputs >> publish
    # A teardown also runs where a step has failed, and has no say in whether the night has: one
    # that may fail the run (on_failure_fail_dagrun) is its only leaf, and would make it a success.
    publish >> report.as_teardown()
