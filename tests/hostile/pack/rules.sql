CREATE RULE high_level AS
INSERT INTO Alert (category, severity, description)
SELECT 'meter', 'high', 'level ' || level
FROM Meter
WHERE level > 90;

CREATE RULE too_fast AS
INSERT INTO Alert (category, severity, description)
SELECT 'traffic', 'medium', 'speed ' || speed || ' on ' || line
FROM Vehicle
WHERE speed > 80;
