"""The night, once: its steps, what each reads and makes, and what it waits for.

Commands, the tasks and edges of the DAG, lineage, the order of the report, names in the journal and
the commands that errors advise are made from here. `name` is the only spelling of a step.
"""

from __future__ import annotations

from schemas.step import Step

INGEST = Step(
    name="ingest",
    does="Source files to interactions by day; rows that break a rule are quarantined.",
    run="jobs.steps.ingest:run",
    also_reads="the source",
    makes=(
        "interactions", "user_days", "item_days", "interactions_quarantine", "users", "items",
        "item_links",
    ),
    pool="spark",
)  # fmt: skip
CHECK_INTERACTIONS = Step(
    name="check_interactions",
    does="Stops the night on bad interactions.",
    run="jobs.steps.checks:check_interactions",
    reads=("interactions", "interactions_quarantine"),
    also_makes="Data Docs",
    after=(INGEST,),
    pool="spark",
)
BUILD_PROFILES = Step(
    name="build_profiles",
    does="Vocabulary, user and item profiles as of `ds`.",
    run="jobs.steps.build_profiles:run",
    reads=("user_days", "item_days", "users", "items"),
    makes=("vocabulary", "user_profiles", "item_profiles"),
    after=(CHECK_INTERACTIONS,),
    pool="spark",
)
BUILD_EPISODES = Step(
    name="build_episodes",
    does="Support and query of every task, by scenario.",
    run="jobs.steps.build_episodes:run",
    reads=("interactions", "timelines", "user_profiles", "item_profiles"),
    makes=("timelines", "episodes"),
    after=(BUILD_PROFILES,),
    pool="spark",
)
BUILD_METAPATHS = Step(
    name="build_metapaths",
    does="Neighbours of items over the network.",
    run="jobs.steps.build_metapaths:run",
    reads=("interactions", "items", "item_links", "item_profiles"),
    makes=("metapath_neighbours",),
    after=(BUILD_PROFILES,),
    pool="spark",
)
_FEATURES = ("vocabulary", "user_profiles", "item_profiles", "episodes", "metapath_neighbours")
CHECK_FEATURES = Step(
    name="check_features",
    does="Stops the night on bad profiles, episodes or neighbours.",
    run="jobs.steps.checks:check_features",
    reads=_FEATURES,
    also_makes="Data Docs",
    after=(BUILD_EPISODES, BUILD_METAPATHS),
    pool="spark",
)
META_TRAIN = Step(
    name="meta_train",
    does="Meta-trains the model, on a GPU if present.",
    run="meta_model.steps.meta_train:run_train",
    reads=_FEATURES,
    also_makes="the model",
    after=(CHECK_FEATURES,),
    takes_model=True,
    pool="gpu",
)
EVALUATE = Step(
    name="evaluate",
    does="Four scenarios, beside the baselines and the last published model.",
    run="meta_model.steps.evaluate:run_evaluate",
    reads=_FEATURES,
    also_reads="the model, the champion",
    makes=("model_metrics", "quality_by_support", "calibration", "list_quality"),
    after=(META_TRAIN,),
    takes_model=True,
    pool="gpu",
)
GATE = Step(
    name="gate",
    does="Decides which model is published: the new one, the last published one, or none.",
    run="jobs.steps.gate:run",
    reads=("model_metrics", "list_quality"),
    also_makes="the decision",
    after=(EVALUATE,),
    takes_model=True,
)
SELECT_EVIDENCE = Step(
    name="select_evidence",
    does="The items to show new users.",
    run="meta_model.steps.select_evidence:run_evidence",
    reads=_FEATURES,
    also_reads="the model that the gate chose, and the list published last",
    makes=("evidence_items", "evidence_quality"),
    after=(GATE,),
    takes_model=True,
    pool="gpu",
)
SCORE_COLD_USERS = Step(
    name="score_cold_users",
    does="The best items of each cold user.",
    run="meta_model.steps.score_cold_users:run_score",
    reads=_FEATURES,
    also_reads="the model that the gate chose",
    makes=("cold_user_scores",),
    after=(GATE,),
    takes_model=True,
    pool="gpu",
)
_PUBLISHED = (
    "evidence_items", "evidence_quality", "cold_user_scores", "model_metrics", "list_quality",
)  # fmt: skip
_STRATIFIED = ("quality_by_support", "calibration")
CHECK_OUTPUTS = Step(
    name="check_outputs",
    does="Stops the night on bad evidence or scores.",
    run="jobs.steps.checks:check_outputs",
    reads=(*_PUBLISHED, *_STRATIFIED, "user_profiles", "item_profiles", "episodes"),
    also_makes="Data Docs",
    after=(SELECT_EVIDENCE, SCORE_COLD_USERS),
    takes_model=True,
    pool="spark",
)
PUBLISH = Step(
    name="publish",
    does="Replaces the day in the warehouse, in one transaction.",
    run="jobs.steps.publish:run",
    reads=_PUBLISHED,
    also_reads="the decision, the model that the gate chose",
    also_makes="the day in the warehouse, the champion",
    after=(CHECK_OUTPUTS,),
    takes_model=True,
)
REPORT = Step(
    name="report",
    does="One page on the night for people, however far it came.",
    run="jobs.steps.report:run",
    reads=(
        "evidence_items", "evidence_quality", "model_metrics", "list_quality", *_STRATIFIED,
        "interactions_quarantine",
    ),
    also_reads="the journal",
    also_makes="the report",
    after=(PUBLISH,),
    takes_model=True,
    even_if_failed=True,
)  # fmt: skip

# In the order of the night; steps that wait for the same ones run side by side.
NIGHT = (
    INGEST, CHECK_INTERACTIONS, BUILD_PROFILES, BUILD_EPISODES, BUILD_METAPATHS, CHECK_FEATURES,
    META_TRAIN, EVALUATE, GATE, SELECT_EVIDENCE, SCORE_COLD_USERS, CHECK_OUTPUTS, PUBLISH, REPORT,
)  # fmt: skip
MADE_BY = {table: step for step in NIGHT for table in step.makes}

# Partitioned by the day of events and not by the night: of these every later night is made.
HISTORY = ("interactions", "user_days", "item_days")


def steps_of(program: str) -> dict[str, Step]:
    """The steps of one command line by name, in the order of the night."""
    return {step.name: step for step in NIGHT if step.program == program}
