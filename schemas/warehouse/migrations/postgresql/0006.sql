-- What each item of a list adds, and what recommendations are worth after it is asked; unknown
-- of what is published already.
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "expected_gain" double precision;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "answer_rate" double precision;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "redundancy" double precision;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "same_as_all" boolean;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "recall20_after" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_low" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_high" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_low" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_high" double precision;
