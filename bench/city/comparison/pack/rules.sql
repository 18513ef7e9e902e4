-- The one rule of the whole chain; Node-RED's flow has the same.
CREATE RULE too_fast AS INSERT INTO Alert (category, severity, alertSource, description)
SELECT 'traffic', 'high', id, 'speed ' || speed FROM Vehicle WHERE speed > 120;
