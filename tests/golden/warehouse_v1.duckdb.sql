CREATE SCHEMA IF NOT EXISTS "coldstart";
CREATE TABLE IF NOT EXISTS "coldstart"."evidence_items" (
    "ds" DATE NOT NULL,
    "segment" VARCHAR NOT NULL,
    "rank" INTEGER NOT NULL,
    "item_id" VARCHAR NOT NULL,
    "title" VARCHAR,
    "evidence_score" DOUBLE NOT NULL,
    "discriminative_value" DOUBLE NOT NULL,
    "popularity_value" DOUBLE NOT NULL,
    "n_interactions" BIGINT NOT NULL,
    "model" VARCHAR NOT NULL,
    "model_version" VARCHAR NOT NULL,
    "run_id" VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS "coldstart"."cold_user_scores" (
    "ds" DATE NOT NULL,
    "user_id" VARCHAR NOT NULL,
    "rank" INTEGER NOT NULL,
    "item_id" VARCHAR NOT NULL,
    "score" DOUBLE NOT NULL,
    "n_support" INTEGER NOT NULL,
    "adapted" BOOLEAN NOT NULL,
    "model" VARCHAR NOT NULL,
    "model_version" VARCHAR NOT NULL,
    "run_id" VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS "coldstart"."model_metrics" (
    "ds" DATE NOT NULL,
    "model" VARCHAR NOT NULL,
    "scenario" VARCHAR NOT NULL,
    "metric" VARCHAR NOT NULL,
    "value" DOUBLE NOT NULL,
    "baseline" DOUBLE,
    "n_tasks" BIGINT NOT NULL,
    "run_id" VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS "coldstart"."publications" (
    "ds" DATE NOT NULL,
    "dataset" VARCHAR NOT NULL,
    "model" VARCHAR NOT NULL,
    "model_version" VARCHAR NOT NULL,
    "run_id" VARCHAR NOT NULL,
    "evidence_items_rows" BIGINT NOT NULL,
    "cold_user_scores_rows" BIGINT NOT NULL,
    "model_metrics_rows" BIGINT NOT NULL,
    "interactions" BIGINT NOT NULL,
    "late_interactions" BIGINT NOT NULL,
    "revision" INTEGER NOT NULL,
    "replaced_run_id" VARCHAR,
    "gate" VARCHAR NOT NULL,
    "published_at" TIMESTAMP WITH TIME ZONE NOT NULL,
    "airflow_run_id" VARCHAR
);
CREATE OR REPLACE VIEW "coldstart"."latest_evidence_items" AS
SELECT "ds", "segment", "rank", "item_id", "title", "evidence_score", "discriminative_value", "popularity_value", "n_interactions", "model", "model_version", "run_id"
FROM coldstart.evidence_items
WHERE ds = (SELECT max(ds) FROM coldstart.publications);
CREATE OR REPLACE VIEW "coldstart"."latest_cold_user_scores" AS
SELECT "ds", "user_id", "rank", "item_id", "score", "n_support", "adapted", "model", "model_version", "run_id"
FROM coldstart.cold_user_scores
WHERE ds = (SELECT max(ds) FROM coldstart.publications);
CREATE OR REPLACE VIEW "coldstart"."model_quality_by_day" AS
SELECT
    m.ds, m.model, p.model_version, m.scenario, m.metric, m.value, m.baseline, m.n_tasks,
    m.value - m.baseline AS difference
FROM coldstart.model_metrics AS m
JOIN coldstart.publications AS p ON p.ds = m.ds AND p.model = m.model
;
CREATE OR REPLACE VIEW "coldstart"."evidence_changes" AS
WITH pairs AS (
    SELECT ds, previous_ds
    FROM (
        SELECT ds, lag(ds) OVER (ORDER BY ds) AS previous_ds FROM coldstart.publications
    ) AS published
    WHERE previous_ds IS NOT NULL
)
SELECT
    p.ds, p.previous_ds, now.segment, now.item_id, now.title, 'entered' AS change,
    now.rank AS rank, CAST(NULL AS INTEGER) AS previous_rank
FROM pairs AS p
JOIN coldstart.evidence_items AS now ON now.ds = p.ds
WHERE NOT EXISTS (
    SELECT 1 FROM coldstart.evidence_items AS was
    WHERE was.ds = p.previous_ds AND was.segment = now.segment AND was.item_id = now.item_id
)
UNION ALL
SELECT
    p.ds, p.previous_ds, was.segment, was.item_id, was.title, 'left' AS change,
    CAST(NULL AS INTEGER) AS rank, was.rank AS previous_rank
FROM pairs AS p
JOIN coldstart.evidence_items AS was ON was.ds = p.previous_ds
WHERE NOT EXISTS (
    SELECT 1 FROM coldstart.evidence_items AS now
    WHERE now.ds = p.ds AND now.segment = was.segment AND now.item_id = was.item_id
)
;
