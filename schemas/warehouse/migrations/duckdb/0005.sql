-- How lists are ranked and what they are worth; unknown of what is published already.
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "p_like" DOUBLE;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "p_choice" DOUBLE;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "score_low" DOUBLE;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "score_high" DOUBLE;
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "ranked_by" VARCHAR;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "list_quality_rows" BIGINT;
CREATE TABLE "coldstart_data"."list_quality" (
    "publication" BIGINT NOT NULL CHECK ("publication" >= 0),
    "ds" DATE NOT NULL,
    "model" VARCHAR NOT NULL,
    "scenario" VARCHAR NOT NULL CHECK ("scenario" IN ('warm', 'user_cold', 'item_cold', 'both_cold')),
    "known" VARCHAR NOT NULL,
    "metric" VARCHAR NOT NULL CHECK ("metric" IN ('ndcg10', 'ndcg20', 'recall20', 'hr10', 'coverage20', 'overlap10', 'gini20', 'novelty20')),
    "value" DOUBLE NOT NULL CHECK ("value" >= 0),
    "low" DOUBLE,
    "high" DOUBLE,
    "lead_low" DOUBLE,
    "lead_high" DOUBLE,
    "n_users" BIGINT NOT NULL CHECK ("n_users" >= 1)
);
