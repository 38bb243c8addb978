-- RMSE beside MAE of what is predicted after a list is asked; unknown of what is published already.
ALTER TABLE "coldstart_data"."evidence_quality" ADD COLUMN "rmse" DOUBLE;
