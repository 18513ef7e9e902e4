CREATE RULE high_level AS
INSERT INTO Alert (category, severity, description)
SELECT 'meter', 'high', 'level ' || level
FROM Meter
WHERE level > 90;
