-- What became of the rows that ingest read; unknown of what is published already.
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_read" bigint;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_kept" bigint;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_quarantined" bigint;
ALTER TABLE "coldstart_data"."publications" ADD COLUMN "rows_left_out" bigint;
