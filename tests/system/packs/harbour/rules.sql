CREATE RULE vessel_in_fairway AS
INSERT INTO Alert (category, severity, description)
SELECT 'marine', 'low', 'vessel ' || mmsi || ' in the fairway'
FROM Vessel
WHERE within(location, zone('Hakefjord'));
