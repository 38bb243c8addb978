CREATE TABLE "coldstart_data"."evidence_items" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "segment" text COLLATE "C" NOT NULL,
    "rank" integer NOT NULL CHECK ("rank" >= 1),
    "item_id" text COLLATE "C" NOT NULL,
    "title" text COLLATE "C",
    "evidence_score" double precision NOT NULL CHECK ("evidence_score" >= 0 AND "evidence_score" <= 1),
    "discriminative_value" double precision NOT NULL CHECK ("discriminative_value" >= 0 AND "discriminative_value" <= 1),
    "popularity_value" double precision NOT NULL CHECK ("popularity_value" >= 0 AND "popularity_value" <= 1),
    "n_interactions" bigint NOT NULL CHECK ("n_interactions" >= 1),
    "expected_gain" double precision,
    "answer_rate" double precision,
    "redundancy" double precision,
    "same_as_all" boolean
) PARTITION BY RANGE ("ds", "publication");
CREATE TABLE "coldstart_data"."evidence_quality" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "segment" text COLLATE "C" NOT NULL,
    "list" text COLLATE "C" NOT NULL,
    "length" integer NOT NULL CHECK ("length" >= 1),
    "n_users" bigint NOT NULL CHECK ("n_users" >= 1),
    "n_revealed_mean" double precision NOT NULL CHECK ("n_revealed_mean" >= 0),
    "mae" double precision NOT NULL CHECK ("mae" >= 0),
    "ndcg5" double precision NOT NULL CHECK ("ndcg5" >= 0 AND "ndcg5" <= 1),
    "mae_minus_popularity_low" double precision NOT NULL,
    "mae_minus_popularity_high" double precision NOT NULL,
    "ndcg10_after" double precision,
    "recall20_after" double precision,
    "ndcg10_after_minus_popularity_low" double precision,
    "ndcg10_after_minus_popularity_high" double precision,
    "ndcg10_after_minus_nothing_low" double precision,
    "ndcg10_after_minus_nothing_high" double precision,
    "rmse" double precision
) PARTITION BY RANGE ("ds", "publication");
CREATE TABLE "coldstart_data"."cold_user_scores" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "user_id" text COLLATE "C" NOT NULL,
    "rank" integer NOT NULL CHECK ("rank" >= 1),
    "item_id" text COLLATE "C" NOT NULL,
    "score" double precision NOT NULL,
    "n_support" integer NOT NULL CHECK ("n_support" >= 0),
    "adapted" boolean NOT NULL,
    "p_like" double precision,
    "p_choice" double precision,
    "score_low" double precision,
    "score_high" double precision,
    "ranked_by" text COLLATE "C",
    "is_new" boolean
) PARTITION BY RANGE ("ds", "publication");
CREATE TABLE "coldstart_data"."model_metrics" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "model" text COLLATE "C" NOT NULL,
    "scenario" text COLLATE "C" NOT NULL CHECK ("scenario" IN ('warm', 'user_cold', 'item_cold', 'both_cold')),
    "metric" text COLLATE "C" NOT NULL CHECK ("metric" IN ('mae', 'mae_of_expected', 'rmse', 'ndcg5', 'adaptation_gain', 'auc', 'hr10', 'ndcg10', 'logloss')),
    "value" double precision NOT NULL,
    "baseline" double precision,
    "n_tasks" bigint NOT NULL CHECK ("n_tasks" >= 1)
) PARTITION BY RANGE ("ds", "publication");
CREATE TABLE "coldstart_data"."list_quality" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "model" text COLLATE "C" NOT NULL,
    "scenario" text COLLATE "C" NOT NULL CHECK ("scenario" IN ('warm', 'user_cold', 'item_cold', 'both_cold')),
    "known" text COLLATE "C" NOT NULL,
    "metric" text COLLATE "C" NOT NULL CHECK ("metric" IN ('ndcg10', 'ndcg20', 'recall20', 'hr10', 'coverage20', 'overlap10', 'gini20', 'novelty20')),
    "value" double precision NOT NULL CHECK ("value" >= 0),
    "low" double precision,
    "high" double precision,
    "lead_low" double precision,
    "lead_high" double precision,
    "n_users" bigint NOT NULL CHECK ("n_users" >= 1)
) PARTITION BY RANGE ("ds", "publication");
CREATE TABLE "coldstart_data"."publications" (
    "publication" bigint NOT NULL CHECK ("publication" >= 0),
    "ds" date NOT NULL,
    "dataset" text COLLATE "C" NOT NULL,
    "model" text COLLATE "C" NOT NULL,
    "model_version" text COLLATE "C" NOT NULL,
    "run_id" text COLLATE "C" NOT NULL,
    "evidence_items_rows" bigint NOT NULL CHECK ("evidence_items_rows" >= 0),
    "cold_user_scores_rows" bigint NOT NULL CHECK ("cold_user_scores_rows" >= 0),
    "model_metrics_rows" bigint NOT NULL CHECK ("model_metrics_rows" >= 0),
    "interactions" bigint NOT NULL CHECK ("interactions" >= 1),
    "late_interactions" bigint NOT NULL,
    "revision" integer NOT NULL CHECK ("revision" >= 1),
    "replaced_run_id" text COLLATE "C",
    "data_read_at" timestamp with time zone NOT NULL,
    "made_at" timestamp with time zone NOT NULL,
    "gate" text COLLATE "C" NOT NULL,
    "published_at" timestamp with time zone NOT NULL,
    "airflow_run_id" text COLLATE "C",
    "evidence_quality_rows" bigint NOT NULL CHECK ("evidence_quality_rows" >= 0),
    "trained_ds" date NOT NULL,
    "rows_read" bigint,
    "rows_kept" bigint,
    "rows_quarantined" bigint,
    "rows_left_out" bigint,
    "list_quality_rows" bigint
);
ALTER TABLE "coldstart_data"."publications" ADD PRIMARY KEY ("ds");
CREATE TABLE "coldstart_data"."versions" (
    "version" integer NOT NULL CHECK ("version" >= 1),
    "applied_at" timestamp with time zone NOT NULL
);
ALTER TABLE "coldstart_data"."versions" ADD PRIMARY KEY ("version");
CREATE OR REPLACE VIEW "coldstart"."evidence_items" AS
SELECT p."ds", r."segment", r."rank", r."item_id", r."title", r."evidence_score", r."discriminative_value", r."popularity_value", r."n_interactions", p."model", p."model_version", p."run_id", r."expected_gain", r."answer_rate", r."redundancy", r."same_as_all"
FROM coldstart_data.publications AS p
JOIN coldstart_data.evidence_items AS r ON r.ds = p.ds AND r.publication = p.publication;
CREATE OR REPLACE VIEW "coldstart"."evidence_quality" AS
SELECT p."ds", r."segment", r."list", r."length", r."n_users", r."n_revealed_mean", r."mae", r."ndcg5", r."mae_minus_popularity_low", r."mae_minus_popularity_high", p."model", p."model_version", p."run_id", r."ndcg10_after", r."recall20_after", r."ndcg10_after_minus_popularity_low", r."ndcg10_after_minus_popularity_high", r."ndcg10_after_minus_nothing_low", r."ndcg10_after_minus_nothing_high", r."rmse"
FROM coldstart_data.publications AS p
JOIN coldstart_data.evidence_quality AS r ON r.ds = p.ds AND r.publication = p.publication;
CREATE OR REPLACE VIEW "coldstart"."cold_user_scores" AS
SELECT p."ds", r."user_id", r."rank", r."item_id", r."score", r."n_support", r."adapted", p."model", p."model_version", p."run_id", r."p_like", r."p_choice", r."score_low", r."score_high", r."ranked_by", r."is_new"
FROM coldstart_data.publications AS p
JOIN coldstart_data.cold_user_scores AS r ON r.ds = p.ds AND r.publication = p.publication;
CREATE OR REPLACE VIEW "coldstart"."model_metrics" AS
SELECT p."ds", r."model", r."scenario", r."metric", r."value", r."baseline", r."n_tasks", p."run_id"
FROM coldstart_data.publications AS p
JOIN coldstart_data.model_metrics AS r ON r.ds = p.ds AND r.publication = p.publication;
CREATE OR REPLACE VIEW "coldstart"."list_quality" AS
SELECT p."ds", r."model", r."scenario", r."known", r."metric", r."value", r."low", r."high", r."lead_low", r."lead_high", r."n_users", p."run_id"
FROM coldstart_data.publications AS p
JOIN coldstart_data.list_quality AS r ON r.ds = p.ds AND r.publication = p.publication;
CREATE OR REPLACE VIEW "coldstart"."publications" AS
SELECT "ds", "dataset", "model", "model_version", "run_id", "evidence_items_rows", "cold_user_scores_rows", "model_metrics_rows", "interactions", "late_interactions", "revision", "replaced_run_id", "data_read_at", "made_at", "gate", "published_at", "airflow_run_id", "evidence_quality_rows", "trained_ds", "rows_read", "rows_kept", "rows_quarantined", "rows_left_out", "list_quality_rows" FROM "coldstart_data"."publications";
CREATE OR REPLACE VIEW "coldstart"."latest_evidence_items" AS
SELECT "ds", "segment", "rank", "item_id", "title", "evidence_score", "discriminative_value", "popularity_value", "n_interactions", "model", "model_version", "run_id", "expected_gain", "answer_rate", "redundancy", "same_as_all"
FROM coldstart.evidence_items
WHERE ds = (SELECT max(ds) FROM coldstart.publications);
CREATE OR REPLACE VIEW "coldstart"."latest_cold_user_scores" AS
SELECT "ds", "user_id", "rank", "item_id", "score", "n_support", "adapted", "model", "model_version", "run_id", "p_like", "p_choice", "score_low", "score_high", "ranked_by", "is_new"
FROM coldstart.cold_user_scores
WHERE ds = (SELECT max(ds) FROM coldstart.publications);
CREATE OR REPLACE VIEW "coldstart"."model_quality_by_day" AS
SELECT
    m.ds, p.model, p.model_version, m.scenario, m.metric, m.value, m.baseline, m.n_tasks,
    m.value - m.baseline AS difference
FROM coldstart.model_metrics AS m
JOIN coldstart.publications AS p
    ON p.ds = m.ds
    AND m.model = CASE WHEN p.trained_ds = p.ds THEN p.model ELSE 'champion' END
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
