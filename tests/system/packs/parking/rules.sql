CREATE RULE car_park_full AS
INSERT INTO Alert (category, severity, description)
SELECT 'parking', 'medium', 'over 95 % full: ' || round(100 * occupied / capacity) || ' %'
FROM OffStreetParking
WHERE occupied > 0.95 * capacity;
