-- How lists are ranked and what they are worth; unknown of what is published already.
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "p_like" double precision;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "p_choice" double precision;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "score_low" double precision;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "score_high" double precision;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "ranked_by" text COLLATE "C";
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "list_quality_rows" bigint;
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
