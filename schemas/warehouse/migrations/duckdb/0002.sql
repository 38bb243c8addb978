-- From one table for each product to rows under the number of their publication.
DROP VIEW coldstart.latest_evidence_items;
DROP VIEW coldstart.latest_cold_user_scores;
DROP VIEW coldstart.model_quality_by_day;
DROP VIEW coldstart.evidence_changes;
CREATE TABLE "coldstart_data"."evidence_items" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "segment" VARCHAR NOT NULL,
    "rank" INTEGER NOT NULL CHECK ("rank" >= 1),
    "item_id" VARCHAR NOT NULL,
    "title" VARCHAR,
    "evidence_score" DOUBLE NOT NULL CHECK ("evidence_score" >= 0 AND "evidence_score" <= 1),
    "discriminative_value" DOUBLE NOT NULL CHECK ("discriminative_value" >= 0 AND "discriminative_value" <= 1),
    "popularity_value" DOUBLE NOT NULL CHECK ("popularity_value" >= 0 AND "popularity_value" <= 1),
    "n_interactions" BIGINT NOT NULL CHECK ("n_interactions" >= 1)
);
CREATE TABLE "coldstart_data"."cold_user_scores" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "user_id" VARCHAR NOT NULL,
    "rank" INTEGER NOT NULL CHECK ("rank" >= 1),
    "item_id" VARCHAR NOT NULL,
    "score" DOUBLE NOT NULL,
    "n_support" INTEGER NOT NULL CHECK ("n_support" >= 0),
    "adapted" BOOLEAN NOT NULL
);
CREATE TABLE "coldstart_data"."model_metrics" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "model" VARCHAR NOT NULL,
    "scenario" VARCHAR NOT NULL CHECK ("scenario" IN ('warm', 'user_cold', 'item_cold', 'both_cold')),
    "metric" VARCHAR NOT NULL CHECK ("metric" IN ('mae', 'mae_of_expected', 'rmse', 'ndcg5', 'adaptation_gain', 'auc', 'hr10', 'ndcg10', 'logloss')),
    "value" DOUBLE NOT NULL,
    "baseline" DOUBLE,
    "n_tasks" BIGINT NOT NULL CHECK ("n_tasks" >= 1)
);
CREATE TABLE "coldstart_data"."publications" (
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
    "airflow_run_id" VARCHAR
);
CREATE TABLE "coldstart_data"."versions" (
    "version" INTEGER NOT NULL CHECK ("version" >= 1),
    "applied_at" TIMESTAMP WITH TIME ZONE NOT NULL
);
INSERT INTO "coldstart_data"."publications"
SELECT
    row_number() OVER (ORDER BY ds),
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
    published_at,
    published_at,
    gate,
    published_at,
    airflow_run_id
FROM coldstart.publications;
INSERT INTO "coldstart_data"."evidence_items"
SELECT p.publication, r.ds, r.segment, r.rank, r.item_id, r.title, r.evidence_score, r.discriminative_value, r.popularity_value, r.n_interactions
FROM coldstart.evidence_items AS r JOIN coldstart_data.publications AS p ON p.ds = r.ds;
INSERT INTO "coldstart_data"."cold_user_scores"
SELECT p.publication, r.ds, r.user_id, r.rank, r.item_id, r.score, r.n_support, r.adapted
FROM coldstart.cold_user_scores AS r JOIN coldstart_data.publications AS p ON p.ds = r.ds;
INSERT INTO "coldstart_data"."model_metrics"
SELECT p.publication, r.ds, r.model, r.scenario, r.metric, r.value, r.baseline, r.n_tasks
FROM coldstart.model_metrics AS r JOIN coldstart_data.publications AS p ON p.ds = r.ds;
DROP TABLE coldstart.evidence_items;
DROP TABLE coldstart.cold_user_scores;
DROP TABLE coldstart.model_metrics;
DROP TABLE coldstart.publications;
