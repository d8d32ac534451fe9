# What people and assistants ask. One per line; \n is a line break. Every one must be answered with
# at least one row.

SELECT 1
select 1;
SELECT 1 AS "copy"
SELECT 'UPDATE me' AS x, 'delete', 'DROP TABLE trades.trade_data; --', 'attach', 'pragma', 'install'
SELECT 'it''s; fine' AS x -- INSERT INTO
/* DELETE FROM trades.trade_data */ SELECT 1
SELECT 1 /* ; DROP TABLE x */ ;
  \n SELECT\n1\n;\n-- done
SELECT $$dollar ; quoted$$ AS x
SELECT "set" FROM (SELECT 1 AS "set")
SELECT 1 AS "explain analyze", 2 AS "read_csv('/etc/passwd')"
SELECT '/etc/passwd' AS path, 'https://example.org/a.csv' AS url
SELECT * FROM trades.trade_data
SELECT * FROM trades.trade_data LIMIT 2
SELECT * FROM trades.trade_data ORDER BY pl DESC LIMIT 3 OFFSET 1
SELECT * FROM trades.trade_data FETCH FIRST 2 ROWS ONLY
SELECT count(*) FROM trades.trade_data
SELECT COUNT(*), SUM(pl), AVG(pl), MEDIAN(pl), stddev_samp(pl) FROM trades.trade_data
SELECT block_id, count(*) AS n, round(sum(pl), 2) AS total FROM trades.trade_data GROUP BY block_id ORDER BY total
SELECT strategy, sum(pl) FROM trades.trade_data GROUP BY ALL HAVING sum(pl) > -1e9 ORDER BY ALL
SELECT strategy, num_contracts, sum(pl) FROM trades.trade_data GROUP BY ROLLUP (strategy, num_contracts)
SELECT strategy, num_contracts, sum(pl) FROM trades.trade_data GROUP BY CUBE (strategy, num_contracts)
SELECT strategy, sum(pl) FROM trades.trade_data GROUP BY GROUPING SETS ((strategy), ())
SELECT count(*) FILTER (WHERE pl > 0) * 100.0 / count(*) AS win_rate FROM trades.trade_data
SELECT DISTINCT strategy FROM trades.trade_data
SELECT DISTINCT ON (strategy) strategy, pl FROM trades.trade_data ORDER BY strategy, pl
SELECT * EXCLUDE (legs) FROM trades.trade_data
SELECT * REPLACE (round(pl) AS pl) FROM trades.trade_data
SELECT * RENAME (pl AS profit) FROM trades.trade_data
SELECT COLUMNS('pl|premium') FROM trades.trade_data
SELECT min(COLUMNS(* EXCLUDE (legs))) FROM trades.trade_data
SELECT t.block_id, t.pl FROM trades.trade_data AS t WHERE t.pl BETWEEN -1000 AND 1000
SELECT * FROM trades.trade_data WHERE strategy IN ('Iron Condor', 'Put Spread')
SELECT * FROM trades.trade_data WHERE strategy ILIKE '%condor%' AND date_opened >= DATE '2024-01-01'
SELECT * FROM trades.trade_data WHERE date_opened >= '2024-01-01' AND NOT (pl < -10000 OR pl IS NULL)
SELECT date_trunc('month', date_opened) AS month, sum(pl) FROM trades.trade_data GROUP BY 1 ORDER BY 1
SELECT dayname(date_opened), avg(pl) FROM trades.trade_data GROUP BY 1
SELECT strftime(date_opened, '%Y-%m') AS m, sum(pl) FROM trades.trade_data GROUP BY m
SELECT date_opened + INTERVAL 1 DAY, date_diff('day', date_opened, date_closed) FROM trades.trade_data
SELECT sum(pl) OVER (ORDER BY date_opened, time_opened ROWS UNBOUNDED PRECEDING) AS equity FROM trades.trade_data
SELECT pl, lag(pl) OVER w, rank() OVER w FROM trades.trade_data WINDOW w AS (PARTITION BY strategy ORDER BY pl)
SELECT * FROM trades.trade_data QUALIFY row_number() OVER (PARTITION BY strategy ORDER BY pl DESC) = 1
SELECT quantile_cont(pl, [0.05, 0.5, 0.95]) FROM trades.trade_data
SELECT CASE WHEN pl > 0 THEN 'win' WHEN pl < 0 THEN 'loss' ELSE 'flat' END AS outcome, count(*) FROM trades.trade_data GROUP BY 1
WITH daily AS (SELECT date_opened AS d, sum(pl) AS pl FROM trades.trade_data GROUP BY 1) SELECT avg(pl) FROM daily
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT 2 AS x) SELECT * FROM a UNION ALL SELECT * FROM b
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT max(i) FROM n
WITH equity AS (SELECT date_opened, sum(pl) OVER (ORDER BY date_opened) AS e FROM trades.trade_data), peaks AS (SELECT *, max(e) OVER (ORDER BY date_opened) AS peak FROM equity) SELECT min(e - peak) AS drawdown FROM peaks
SELECT t.date_opened, t.pl, m.VIX_Close FROM trades.trade_data t JOIN market.spx_daily m ON m.date = CAST(t.date_opened AS VARCHAR)
SELECT t.date_opened, m.Close FROM trades.trade_data t LEFT JOIN market.spx_daily m ON m.date = strftime(t.date_opened, '%Y-%m-%d')
SELECT * FROM trades.trade_data t ASOF JOIN (SELECT CAST(date AS DATE) AS day, VIX_Close FROM market.spx_daily) m ON t.date_opened >= m.day
SELECT * FROM trades.trade_data a CROSS JOIN (VALUES (1), (2)) v(k) WHERE a.pl > 0
SELECT * FROM trades.trade_data a WHERE EXISTS (SELECT 1 FROM market.spx_daily m WHERE m.date = CAST(a.date_opened AS VARCHAR))
SELECT * FROM trades.trade_data a SEMI JOIN market.spx_daily m ON m.date = CAST(a.date_opened AS VARCHAR)
SELECT strategy, (SELECT max(pl) FROM trades.trade_data b WHERE b.strategy = a.strategy) AS best FROM trades.trade_data a
SELECT * FROM trades.trade_data a, LATERAL (SELECT a.pl * 2 AS twice) l
SELECT pl FROM trades.trade_data UNION SELECT 0 ORDER BY 1
SELECT pl FROM trades.trade_data EXCEPT SELECT 12345.6
SELECT pl FROM trades.trade_data INTERSECT SELECT pl FROM trades.trade_data
(SELECT 1) UNION ALL (SELECT 2)
FROM trades.trade_data
FROM trades.trade_data SELECT strategy, pl WHERE pl > 0
FROM (FROM trades.trade_data SELECT pl) LIMIT 1
VALUES (1, 'a'), (2, 'b')
SELECT * FROM (VALUES (DATE '2024-01-02', 1.5)) AS v(d, x)
TABLE trades.trade_data
DESCRIBE trades.trade_data
DESCRIBE SELECT pl, strategy FROM trades.trade_data
DESC market.spx_daily
SHOW TABLES FROM trades
SHOW ALL TABLES
SHOW trades.trade_data
SUMMARIZE trades.trade_data
SUMMARIZE SELECT pl FROM trades.trade_data
EXPLAIN SELECT * FROM trades.trade_data WHERE pl > 0
explain -- the plan\n select 1
PIVOT trades.trade_data ON strategy IN ('Iron Condor', 'Put Spread') USING sum(pl) GROUP BY block_id
SELECT * FROM (PIVOT trades.trade_data ON strategy IN ('Iron Condor') USING count(*))
SELECT * FROM trades.trade_data PIVOT (sum(pl) FOR strategy IN ('Iron Condor', 'Put Spread') GROUP BY block_id)
UNPIVOT (SELECT block_id, pl, premium FROM trades.trade_data) ON pl, premium INTO NAME figure VALUE amount
SELECT * FROM range(5)
SELECT * FROM generate_series(DATE '2024-01-01', DATE '2024-01-05', INTERVAL 1 DAY) s(day)
SELECT unnest([1, 2, 3]) AS i
SELECT * FROM unnest(['a', 'b']) AS u(x)
SELECT * FROM json_each('{"a": 1, "b": 2}')
SELECT list_transform([1, 2, 3], lambda x: x * 2), list_filter([1, 2, 3], lambda x: x > 1), list_sum([1, 2])
SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1]
SELECT list(pl ORDER BY pl), string_agg(strategy, ', '), array_agg(DISTINCT strategy) FROM trades.trade_data
SELECT {'a': 1, 'b': [1, 2]} AS s, MAP {'k': 1} AS m, struct_pack(x := 1).x
SELECT json_extract('{"a": {"b": 2}}', '$.a.b'), '{"a": 1}'::JSON ->> 'a', json_object('k', 1)
SELECT extra_json ->> '$.Note' FROM trades.trade_data
SELECT regexp_extract(legs, '([0-9]+) P', 1), split_part(legs, ' ', 2) FROM trades.trade_data
SELECT * FROM trades.trade_data USING SAMPLE 100 PERCENT (bernoulli)
SELECT TRY_CAST('abc' AS DOUBLE), CAST('1.5' AS DECIMAL(10, 2)), 1::BIGINT, 2::HUGEINT
SELECT DATE '2024-01-02', TIMESTAMP '2024-01-02 09:30:00', TIME '09:30:00', INTERVAL '1 day 2 hours'
SELECT now() AT TIME ZONE 'America/New_York', current_date, today()
SELECT uuid(), random(), hash('a'), md5('a'), version()
SELECT greatest(1, 2), coalesce(NULL, 3), nullif(1, 2), ifnull(NULL, 4), if(true, 1, 2)
SELECT 1 / 2, 7 // 2, 7 % 3, 2 ** 10, -5, +5, 5 !
SELECT date, Close, Close - lag(Close) OVER (ORDER BY date) AS change FROM market.spx_daily ORDER BY date
SELECT corr(t.pl, m.VIX_Close) FROM trades.trade_data t JOIN market.spx_daily m ON m.date = CAST(t.date_opened AS VARCHAR)
SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('trades', 'market')
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'trade_data'
SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'trades'
SELECT column_name FROM duckdb_columns() WHERE table_name = 'spx_daily'
SELECT name, type FROM pragma_table_info('trades.trade_data')
SELECT * FROM sqlite_master
SELECT block_id, synced_at FROM trades._sync_metadata
SELECT count(*) FROM analytics.trades.trade_data
SELECT a.pl AS "P/L", a.pl AS "pl.x" FROM trades.trade_data a
SELECT 'Grüße 🦆' AS "Spalte für Ümläute"
