CREATE RULE heavy_pollution AS
INSERT INTO Alert (category, severity, assignedTo, description)
SELECT 'environment', 'high', '市生态环境局', 'PM2.5 over 150 for 3 hours'
FROM AirQualityObserved
WHERE held(pm25 > 150, INTERVAL '3 hours');
