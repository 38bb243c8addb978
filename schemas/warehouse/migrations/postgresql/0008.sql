-- Whether the user of a list is a new one; unknown of what is published already.
ALTER TABLE "coldstart_data"."cold_user_scores" ADD COLUMN "is_new" boolean;
