-- The profiles' statistics and the episodes of a night, as one would write them for DuckDB by hand.
-- Variables and the table validation_users are set by features_reference.py; what the tables mean
-- is said in schemas/tables/ and jobs/transforms/.

CREATE TEMP TABLE interactions AS
SELECT user_id, item_id, rating, event_time
FROM read_parquet(getvariable('interactions'), hive_partitioning = false);

CREATE TEMP TABLE users AS
SELECT
    user_id,
    row_number() OVER (ORDER BY min(event_time), user_id)::INTEGER AS user_index,
    count(*) AS n_interactions,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    min(event_time) >= getvariable('new_users_from') AS is_new,
    count(*) <= getvariable('cold_user_max_interactions') AS is_cold,
    user_id IN (FROM validation_users) AS is_validation
FROM interactions
GROUP BY user_id;

CREATE TEMP TABLE items AS
WITH seen AS (
    SELECT
        *,
        NOT is_new AND NOT is_validation
        AND event_time < getvariable('new_users_from') AS is_training
    FROM interactions JOIN users USING (user_id)
),
activity AS (
    SELECT
        item_id,
        count(*) AS n_interactions,
        min(event_time) AS first_seen,
        sum(rating) / count(*) AS rating_mean,
        min(event_time) >= getvariable('new_items_from') AS is_new,
        count(*) FILTER (WHERE is_training) AS n_training,
        coalesce(sum(rating) FILTER (WHERE is_training), 0) AS training_sum
    FROM seen
    GROUP BY item_id
)
SELECT
    item_id,
    row_number() OVER (ORDER BY first_seen, item_id)::INTEGER AS item_index,
    n_interactions,
    first_seen,
    rating_mean,
    is_new,
    if(is_new, 0, n_training) AS train_n_ratings,
    if(is_new, 0, training_sum) AS train_rating_sum
FROM activity;

CREATE TEMP TABLE history AS
WITH latest AS (
    SELECT *
    FROM interactions
    QUALIFY row_number() OVER (PARTITION BY user_id, item_id ORDER BY event_time DESC) = 1
)
SELECT
    user_id,
    user_index,
    users.is_new AS user_is_new,
    is_cold,
    is_validation,
    item_index,
    items.is_new AS item_is_new,
    rating::FLOAT AS rating,
    event_time,
    row_number() OVER (PARTITION BY user_index ORDER BY event_time, item_index) AS position,
    count(*) OVER (PARTITION BY user_index) AS n
FROM latest JOIN users USING (user_id) JOIN items USING (item_id);

-- All that a user did, in order: the supports of test and serve tasks are slices of it.
CREATE TEMP TABLE pasts AS
SELECT
    user_id,
    user_index,
    any_value(is_cold) AS is_cold,
    list(item_index ORDER BY position) AS items,
    list(rating ORDER BY position) AS ratings
FROM history
GROUP BY user_id, user_index;

CREATE TEMP TABLE episodes AS
WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY user_index ORDER BY position) - 1 AS place
    FROM history
    WHERE NOT user_is_new AND NOT item_is_new AND event_time < getvariable('new_users_from')
),
windows AS (
    SELECT
        user_id,
        user_index,
        if(is_validation, 'validation', 'train') AS split,
        place // getvariable('width') AS w,
        list(item_index ORDER BY position) AS items,
        list(rating ORDER BY position) AS ratings,
        len(items) - least(getvariable('query_size'), len(items) - getvariable('min_support')) AS s
    FROM placed
    WHERE place < getvariable('width') * if(is_validation, 1, getvariable('max_episodes_per_user'))
    GROUP BY ALL
    HAVING len(items) >= getvariable('min_support') + getvariable('min_query')
),
queries AS (
    SELECT
        *,
        if(user_is_new, if(item_is_new, 'both_cold', 'user_cold'),
           if(item_is_new, 'item_cold', 'warm')) AS scenario
    FROM history
    WHERE (
        user_is_new
        OR NOT is_validation AND (item_is_new OR event_time >= getvariable('new_users_from'))
    )
    AND position > if(
        user_is_new,
        greatest(
            least(n - getvariable('query_size'), getvariable('max_support')),
            getvariable('min_support')
        ),
        getvariable('min_support')
    )
    QUALIFY row_number() OVER (PARTITION BY user_index, scenario ORDER BY position)
        <= getvariable('query_size')
),
tests AS (
    SELECT
        user_index,
        scenario,
        min(position) AS start,
        list(item_index ORDER BY position) AS items,
        list(rating ORDER BY position) AS ratings
    FROM queries
    GROUP BY user_index, scenario
    HAVING count(*) >= getvariable('min_query')
)
SELECT
    concat_ws('/', user_id, 'warm', split, w) AS task_id,
    user_index,
    'warm' AS scenario,
    split,
    items[:s] AS support_items,
    ratings[:s] AS support_ratings,
    items[s + 1:] AS query_items,
    ratings[s + 1:] AS query_ratings
FROM windows
UNION ALL
SELECT
    concat_ws('/', user_id, scenario, 'test'),
    user_index,
    scenario,
    'test',
    pasts.items[greatest(start - getvariable('max_support'), 1):start - 1],
    pasts.ratings[greatest(start - getvariable('max_support'), 1):start - 1],
    tests.items,
    tests.ratings
FROM tests JOIN pasts USING (user_index)
UNION ALL
SELECT
    concat_ws('/', user_id, 'user_cold', 'serve'), user_index, 'user_cold', 'serve',
    items, ratings, [], []
FROM pasts
WHERE is_cold;
