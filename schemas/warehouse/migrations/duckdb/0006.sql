-- What each item of a list adds, and what recommendations are worth after it is asked; unknown
-- of what is published already.
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "expected_gain" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "answer_rate" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "redundancy" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_items" ADD COLUMN "same_as_all" BOOLEAN;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "recall20_after" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_low" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_popularity_high" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_low" DOUBLE;
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "ndcg10_after_minus_nothing_high" DOUBLE;
