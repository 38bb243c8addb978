-- What lists are worth, and which day's data a published model was trained on.
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
    "mae_minus_popularity_high" double precision NOT NULL
) PARTITION BY RANGE ("ds", "publication");
ALTER TABLE "coldstart_data"."publications"
    ADD COLUMN "evidence_quality_rows" bigint NOT NULL DEFAULT 0 CHECK ("evidence_quality_rows" >= 0),
    ADD COLUMN "trained_ds" date;
UPDATE "coldstart_data"."publications" SET "trained_ds" = "ds";
ALTER TABLE "coldstart_data"."publications"
    ALTER COLUMN "evidence_quality_rows" DROP DEFAULT,
    ALTER COLUMN "trained_ds" SET NOT NULL;
