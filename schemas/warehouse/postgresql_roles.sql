-- The roles of a warehouse in PostgreSQL. An administrator runs this once in the warehouse's
-- database; a second time changes nothing:
--
--   psql --set ON_ERROR_STOP=1 --file schemas/warehouse/postgresql_roles.sql DATABASE
--
-- coldstart_writer publishes: it owns the two schemas, and nothing else.
-- coldstart_analyst reads what is published: a group to put people and tools into.

DO $$
BEGIN
    IF to_regrole('coldstart_writer') IS NULL THEN
        CREATE ROLE coldstart_writer LOGIN;
    END IF;
    IF to_regrole('coldstart_analyst') IS NULL THEN
        CREATE ROLE coldstart_analyst NOLOGIN;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO coldstart_writer, coldstart_analyst', current_database()
    );
END
$$;

CREATE SCHEMA IF NOT EXISTS coldstart AUTHORIZATION coldstart_writer;
CREATE SCHEMA IF NOT EXISTS coldstart_data AUTHORIZATION coldstart_writer;

-- Views read the rows with their owner's rights: analysts need none on coldstart_data.
GRANT USAGE ON SCHEMA coldstart TO coldstart_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA coldstart TO coldstart_analyst;
ALTER DEFAULT PRIVILEGES FOR ROLE coldstart_writer IN SCHEMA coldstart
    GRANT SELECT ON TABLES TO coldstart_analyst;
