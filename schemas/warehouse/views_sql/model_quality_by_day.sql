SELECT
    m.ds, p.model, p.model_version, m.scenario, m.metric, m.value, m.baseline, m.n_tasks,
    m.value - m.baseline AS difference
FROM coldstart.model_metrics AS m
JOIN coldstart.publications AS p
    ON p.ds = m.ds
    AND m.model = CASE WHEN p.trained_ds = p.ds THEN p.model ELSE 'champion' END
