-- What each item of a list adds, and what recommendations are worth after it is asked; unknown
-- of what is published already.
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "expected_gain" double precision;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "answer_rate" double precision CHECK ("answer_rate" >= 0 AND "answer_rate" <= 1);
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "redundancy" double precision CHECK ("redundancy" >= 0 AND "redundancy" <= 1);
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "same_as_all" boolean;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after" double precision CHECK ("ndcg10_after" >= 0 AND "ndcg10_after" <= 1);
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "recall20_after" double precision CHECK ("recall20_after" >= 0 AND "recall20_after" <= 1);
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_low" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_high" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_low" double precision;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_high" double precision;
