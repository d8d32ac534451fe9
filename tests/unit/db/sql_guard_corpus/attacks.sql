# What queries of users must never do. One per line; \n is a line break; lines like this one are
# comments. Every one must be refused by the guard itself, before anything is bound or run.

# changing rows and tables
INSERT INTO trades.trade_data(block_id, date_opened, pl) VALUES ('x', DATE '2024-01-02', 1)
UPDATE trades.trade_data SET pl = 0
DELETE FROM trades.trade_data
DELETE FROM trades.trade_data RETURNING *
TRUNCATE trades.trade_data
DROP TABLE trades.trade_data
DROP SCHEMA trades CASCADE
CREATE TABLE trades.evil(a INTEGER)
CREATE TABLE evil AS SELECT * FROM trades.trade_data
CREATE TEMP TABLE evil AS SELECT 1 AS a
CREATE OR REPLACE VIEW evil AS SELECT 1
CREATE MACRO evil(a) AS a + 1
CREATE SEQUENCE evil
CREATE TYPE evil AS ENUM ('a')
CREATE INDEX evil ON trades.trade_data(pl)
ALTER TABLE trades.trade_data DROP COLUMN pl
ALTER TABLE trades.trade_data RENAME TO gone
COMMENT ON TABLE trades.trade_data IS 'evil'
MERGE INTO trades.trade_data USING (SELECT 1 AS a) s ON false WHEN NOT MATCHED THEN INSERT DEFAULT VALUES
INSERT INTO trades.trade_data BY NAME SELECT * FROM trades.trade_data
VACUUM
ANALYZE
CHECKPOINT
FORCE CHECKPOINT

# hidden in something that reads
WITH gone AS (DELETE FROM trades.trade_data RETURNING *) SELECT * FROM gone
WITH new AS (INSERT INTO trades.trade_data VALUES (1) RETURNING *) SELECT count(*) FROM new
SELECT * FROM (DELETE FROM trades.trade_data RETURNING *)
SELECT * FROM (INSERT INTO trades.trade_data DEFAULT VALUES RETURNING *)
EXPLAIN DELETE FROM trades.trade_data
EXPLAIN ANALYZE DELETE FROM trades.trade_data
EXPLAIN ANALYZE SELECT 1
explain/**/analyze select count(*) from trades.trade_data
EXPLAIN -- analyze\n ANALYZE UPDATE trades.trade_data SET pl = 0
EXPLAIN (ANALYZE) SELECT 1
EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM trades.trade_data
EXPLAIN (FORMAT JSON) DELETE FROM trades.trade_data
EXPLAIN EXPLAIN SELECT 1
EXPLAIN COPY (SELECT 1) TO '/tmp/evil.csv'
EXPLAIN SELECT * FROM read_csv('/etc/passwd')

# more than one statement
SELECT 1; SELECT 2
SELECT 1; DROP TABLE trades.trade_data
SELECT 1;; DELETE FROM trades.trade_data
SELECT ';'; DELETE FROM trades.trade_data; --
SELECT 1 /* ; */; DELETE FROM trades.trade_data
SELECT 1 -- ;\n; DELETE FROM trades.trade_data
SELECT $$;$$; DROP TABLE trades.trade_data
BEGIN; DELETE FROM trades.trade_data; COMMIT
SELECT 1; COMMIT; DELETE FROM trades.trade_data
SELECT 1;\nATTACH '/tmp/evil.db' AS evil

# nothing at all

--
;
/* */
-- SELECT 1

# transactions, settings, sessions
BEGIN TRANSACTION
COMMIT
ROLLBACK
ABORT
SET memory_limit = '100GB'
SET GLOBAL enable_external_access = true
SET SESSION threads = 64
SET VARIABLE evil = 1
RESET memory_limit
PRAGMA memory_limit = '100GB'
PRAGMA enable_profiling
PRAGMA database_list
PRAGMA database_size
PRAGMA version
PRAGMA table_info('trades.trade_data')
PRAGMA enable_checkpoint_on_shutdown
USE market
PREPARE evil AS DELETE FROM trades.trade_data
EXECUTE evil
DEALLOCATE evil
CALL pragma_version()
CALL enable_logging()
CALL force_checkpoint()
LOAD httpfs
INSTALL httpfs
FORCE INSTALL httpfs FROM 'http://localhost/evil'
UPDATE EXTENSIONS

# other databases and files
ATTACH '/tmp/evil.db' AS evil
ATTACH ':memory:' AS evil
ATTACH IF NOT EXISTS 'analytics.duckdb' AS again (READ_ONLY)
DETACH analytics
COPY trades.trade_data TO '/tmp/evil.csv'
COPY (SELECT * FROM trades.trade_data) TO '/tmp/evil.parquet' (FORMAT parquet)
COPY trades.trade_data FROM '/etc/passwd'
COPY FROM DATABASE analytics TO evil
EXPORT DATABASE '/tmp/evil'
IMPORT DATABASE '/tmp/evil'
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM READ_CSV_AUTO('/etc/passwd')
SELECT * FROM "read_csv"('/etc/passwd')
SELECT * FROM read_csv/* */('/etc/passwd')
SELECT * FROM main.read_csv('/etc/passwd')
SELECT * FROM system.main.read_text('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('analytics.duckdb')
SELECT content FROM read_blob('/proc/self/environ')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_json_objects_auto('/etc/*')
SELECT * FROM read_ndjson('/etc/passwd')
SELECT * FROM read_parquet(['/tmp/a.parquet', '/tmp/b.parquet'])
SELECT * FROM parquet_scan('/tmp/a.parquet')
SELECT * FROM parquet_metadata('/tmp/a.parquet')
SELECT * FROM parquet_schema('/tmp/a.parquet')
SELECT * FROM glob('/etc/*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM '/etc/passwd'
SELECT * FROM '/etc/hosts.csv'
SELECT * FROM "/etc/passwd"
SELECT * FROM '../../etc/passwd.csv'
SELECT * FROM 'analytics.duckdb'
SELECT * FROM "tradelog.csv"
SELECT * FROM data.csv
SELECT * FROM tradelog.parquet
SELECT * FROM '*.csv'
SELECT * FROM 'https://example.org/a.csv'
SELECT * FROM 's3://bucket/a.parquet'
FROM 'C:\\secret.csv'
TABLE "/etc/passwd"
DESCRIBE '/etc/passwd'
SUMMARIZE '/etc/passwd.csv'
SELECT * FROM (SELECT * FROM (SELECT * FROM read_text('/etc/passwd')))
WITH a AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM a
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a, glob('/etc/*') WHERE n < 2) SELECT * FROM a
SELECT (SELECT content FROM read_text('/etc/passwd'))
SELECT 1 WHERE EXISTS (SELECT 1 FROM read_text('/etc/passwd'))
SELECT 1 IN (SELECT size FROM read_blob('/etc/passwd'))
SELECT * FROM trades.trade_data t, LATERAL (SELECT * FROM read_text(t.block_id)) l
SELECT * FROM trades.trade_data ORDER BY (SELECT count(*) FROM glob('/etc/*'))
SELECT * FROM trades.trade_data LIMIT (SELECT count(*) FROM glob('/etc/*'))
SELECT count(*) OVER (ORDER BY (SELECT 1 FROM read_text('/etc/passwd'))) FROM trades.trade_data
SELECT count(*) FILTER (WHERE 1 IN (SELECT 1 FROM read_text('/etc/passwd'))) FROM trades.trade_data
SELECT list_transform([1], lambda x: (SELECT count(*) FROM glob('/etc/*')))
SELECT CASE WHEN true THEN (SELECT 1 FROM read_text('/etc/passwd')) END
SELECT * FROM trades.trade_data QUALIFY 1 = (SELECT count(*) FROM glob('/etc/*'))
SELECT pl FROM trades.trade_data GROUP BY pl HAVING 1 = (SELECT count(*) FROM glob('/'))
SELECT * FROM trades.trade_data JOIN read_text('/etc/passwd') ON true
SELECT 1 UNION ALL SELECT size FROM read_blob('/etc/passwd')
VALUES ((SELECT count(*) FROM glob('/etc/*')))
PIVOT (SELECT * FROM read_csv('/etc/passwd')) ON a IN (1) USING sum(b)
PIVOT read_csv('/etc/passwd') ON column0 IN ('root') USING count(*)
UNPIVOT (SELECT * FROM read_blob('/etc/passwd')) ON size
DESCRIBE SELECT * FROM read_csv('/etc/passwd')
SUMMARIZE SELECT * FROM read_csv('/etc/passwd')

# SQL in strings, and functions that change or disclose the server
SELECT * FROM query('DROP TABLE trades.trade_data')
SELECT * FROM query_table('/etc/passwd')
SELECT * FROM query_table(['trades.trade_data'])
SELECT * FROM "Query"('SELECT 1')
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
SELECT json_serialize_plan('SELECT * FROM read_csv(''/etc/passwd'')')
SELECT * FROM histogram('/etc/passwd', a)
SELECT * FROM enable_logging('QueryLog', storage='file', storage_config={'path':'/tmp/evil'})
SELECT * FROM enable_logging()
SELECT * FROM disable_logging()
SELECT * FROM truncate_duckdb_logs()
SELECT * FROM checkpoint()
SELECT * FROM force_checkpoint()
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_logs_parsed('QueryLog')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM which_secret('s3://a', 's3')
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_memory()
SELECT * FROM duckdb_variables()
SELECT * FROM pragma_database_size()
SELECT * FROM pragma_storage_info('trades.trade_data')
SELECT * FROM pragma_user_agent()
SELECT * FROM pragma_database_list
SELECT * FROM main.pragma_database_list
SELECT * FROM system.main.duckdb_databases
SELECT * FROM duckdb_databases
SELECT * FROM "DUCKDB_LOGS"
SELECT * FROM pg_catalog.pg_settings
SELECT * FROM pg_settings
SELECT * FROM pg_database
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM seq_scan('a')
SELECT * FROM test_all_types()
SELECT * FROM sql_auto_complete('SELECT ')
SELECT write_log('evil')
SELECT main.write_log('evil')
SELECT "write_log"('evil')
SELECT WRITE_LOG('evil', level := 'ERROR')
SELECT nextval('evil')
SELECT currval('evil')
SELECT setseed(0.5)
SELECT getenv('HOME')
SELECT current_setting('temp_directory')
SELECT max(current_setting('secret_directory')) OVER () FROM trades.trade_data
SELECT getvariable('evil')
SELECT 'evil'.write_log()
SELECT list_transform(['evil'], lambda x: write_log(x))
SELECT COLUMNS(c -> write_log(c) IS NULL) FROM trades.trade_data
SELECT read_text('/etc/passwd')

# parameters nobody fills
SELECT $1
SELECT ?
SELECT $evil

# disguises
FROM read_blob('/etc/hostname') SELECT content
SELECT * FROM temp.main.read_text('/etc/hostname')
SELECT * FROM E'\x2Fetc\x2Fhostname'
SELECT * FROM $a$/etc/hostname$a$
SELECT * FROM main."/etc/hostname"
SHOW '/etc/hostname'
SUMMARIZE "x.json"
EXPLAIN (FORMAT JSON, ANALYZE TRUE) SELECT 1
EXPLAIN SELECT getenv('HOME')
EXPLAIN SELECT 1; DROP TABLE trades.trade_data
WITH a AS (COPY (SELECT 1) TO '/tmp/evil') SELECT 1
WITH trade_data AS (FROM read_text('/etc/hostname')) FROM trade_data
WITH RECURSIVE r(a) USING KEY (a) AS (SELECT 1 a UNION ALL SELECT size FROM read_blob('*')) FROM r
SELECT * FROM trades.trade_data POSITIONAL JOIN read_text('/etc/hostname')
SELECT * FROM range((SELECT size FROM read_blob('/etc/hostname')))
SELECT * FROM repeat_row(getenv('HOME'), num_rows := 1)
SELECT * REPLACE (getenv('HOME') AS pl) FROM trades.trade_data
SELECT COLUMNS(lambda c: getenv(c) IS NOT NULL) FROM trades.trade_data
SELECT sum(pl) OVER (ORDER BY pl ROWS BETWEEN (SELECT count(*) FROM glob('*')) PRECEDING AND CURRENT ROW) FROM trades.trade_data
SELECT [current_setting(x) FOR x IN ['temp_directory']]
SELECT list_aggregate([1], 'getenv') FROM glob('*')
SELECT * FROM pragma_metadata_info()
SELECT * FROM duckdb_external_file_cache()
SELECT * FROM pg_catalog.duckdb_settings
SELECT * FROM parquet_bloom_probe('x', 'a', 1)
