-- What lists are worth, and which day's data a published model was trained on.
CREATE TABLE "coldstart_data"."evidence_quality" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "segment" VARCHAR NOT NULL,
    "list" VARCHAR NOT NULL,
    "length" INTEGER NOT NULL CHECK ("length" >= 1),
    "n_users" BIGINT NOT NULL CHECK ("n_users" >= 1),
    "n_revealed_mean" DOUBLE NOT NULL CHECK ("n_revealed_mean" >= 0),
    "mae" DOUBLE NOT NULL CHECK ("mae" >= 0),
    "ndcg5" DOUBLE NOT NULL CHECK ("ndcg5" >= 0 AND "ndcg5" <= 1),
    "mae_minus_popularity_low" DOUBLE NOT NULL,
    "mae_minus_popularity_high" DOUBLE NOT NULL
);
-- DuckDB adds no column that has a constraint.
CREATE TABLE "coldstart_data"."publications_3" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "dataset" VARCHAR NOT NULL,
    "model" VARCHAR NOT NULL,
    "model_version" VARCHAR NOT NULL,
    "run_id" VARCHAR NOT NULL,
    "evidence_items_rows" BIGINT NOT NULL CHECK ("evidence_items_rows" >= 0),
    "cold_user_scores_rows" BIGINT NOT NULL CHECK ("cold_user_scores_rows" >= 0),
    "model_metrics_rows" BIGINT NOT NULL CHECK ("model_metrics_rows" >= 0),
    "interactions" BIGINT NOT NULL CHECK ("interactions" >= 1),
    "late_interactions" BIGINT NOT NULL,
    "revision" INTEGER NOT NULL CHECK ("revision" >= 1),
    "replaced_run_id" VARCHAR,
    "data_read_at" TIMESTAMP WITH TIME ZONE NOT NULL,
    "made_at" TIMESTAMP WITH TIME ZONE NOT NULL,
    "gate" VARCHAR NOT NULL,
    "published_at" TIMESTAMP WITH TIME ZONE NOT NULL,
    "airflow_run_id" VARCHAR,
    "evidence_quality_rows" BIGINT NOT NULL CHECK ("evidence_quality_rows" >= 0),
    "trained_ds" DATE NOT NULL
);
INSERT INTO "coldstart_data"."publications_3"
SELECT
    publication,
    ds,
    dataset,
    model,
    model_version,
    run_id,
    evidence_items_rows,
    cold_user_scores_rows,
    model_metrics_rows,
    interactions,
    late_interactions,
    revision,
    replaced_run_id,
    data_read_at,
    made_at,
    gate,
    published_at,
    airflow_run_id,
    0,
    ds
FROM coldstart_data.publications;
DROP TABLE coldstart_data.publications;
ALTER TABLE coldstart_data.publications_3 RENAME TO publications;
