-- What became of the rows that ingest read; unknown of what is published already.
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_read" BIGINT;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_kept" BIGINT;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_quarantined" BIGINT;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_left_out" BIGINT;
