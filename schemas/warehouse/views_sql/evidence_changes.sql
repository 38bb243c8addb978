WITH pairs AS (
    SELECT ds, previous_ds
    FROM (
        SELECT ds, lag(ds) OVER (ORDER BY ds) AS previous_ds FROM coldstart.publications
    ) AS published
    WHERE previous_ds IS NOT NULL
)
SELECT
    p.ds, p.previous_ds, now.segment, now.item_id, now.title, 'entered' AS change,
    now.rank AS rank, CAST(NULL AS INTEGER) AS previous_rank
FROM pairs AS p
JOIN coldstart.evidence_items AS now ON now.ds = p.ds
WHERE NOT EXISTS (
    SELECT 1 FROM coldstart.evidence_items AS was
    WHERE was.ds = p.previous_ds AND was.segment = now.segment AND was.item_id = now.item_id
)
UNION ALL
SELECT
    p.ds, p.previous_ds, was.segment, was.item_id, was.title, 'left' AS change,
    CAST(NULL AS INTEGER) AS rank, was.rank AS previous_rank
FROM pairs AS p
JOIN coldstart.evidence_items AS was ON was.ds = p.previous_ds
WHERE NOT EXISTS (
    SELECT 1 FROM coldstart.evidence_items AS now
    WHERE now.ds = p.ds AND now.segment = was.segment AND now.item_id = was.item_id
)
