-- The rules of the demonstration city. `ficus simulate` causes each of these incidents from time to time.

CREATE RULE school_zone_overspeed
COMMENT 'over 40 km/h for 10 s in a school zone'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'traffic', 'overspeed', 'high', id, '市交警支队',
       '学校区域超速 / overspeed in a school zone: ' || CAST(speed AS INTEGER) || ' km/h'
FROM   Vehicle
WHERE  held(speed > 40 AND within(location, zone('school')), INTERVAL '10 seconds');

CREATE RULE pm25_episode
COMMENT 'PM2.5 over 150 µg/m³: heavily polluted'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'environment', 'airPollution', 'high', id, '市生态环境局',
       'PM2.5 重度污染 / heavy pollution: ' || CAST(pm25 AS INTEGER) || ' µg/m³'
FROM   AirQualityObserved
WHERE  pm25 > 150;

CREATE RULE noise_over_limit
COMMENT 'over 70 dB; more serious in a quiet district'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'environment', 'noise',
       CASE WHEN within(location, zone('low_noise')) THEN 'high' ELSE 'medium' END,
       id, '市城市管理局', '噪声超标 / noise over the limit: ' || CAST(LAeq AS INTEGER) || ' dB'
FROM   NoiseLevelObserved
WHERE  LAeq > 70;

CREATE RULE car_park_full
COMMENT 'over 95 % of the spaces are taken'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'traffic', 'parking', 'low', id, '市城市管理局',
       '停车场将满 / car park nearly full: ' || CAST(occupiedSpotNumber AS INTEGER) || ' / ' ||
       CAST(totalSpotNumber AS INTEGER)
FROM   OffStreetParking
WHERE  occupiedSpotNumber > 0.95 * totalSpotNumber;

CREATE RULE pump_vibration
COMMENT 'vibration velocity over 7.1 mm/s: damage is possible (zone D of ISO 20816-3)'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'water', 'equipment', 'high', id, '市水务局',
       '水泵振动异常 / abnormal vibration of a pump: ' || round(vibration, 1) || ' mm/s'
FROM   WaterPump
WHERE  vibration > 7.1;

CREATE RULE vessel_in_protected_zone
COMMENT 'a ship is within the marine reserve'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'security', 'intrusion', 'critical', id, '市海洋与渔业局',
       '船舶进入海洋保护区 / ship in the marine reserve: ' || coalesce(name, mmsi)
FROM   Vessel
WHERE  within(location, zone('protected'));

CREATE RULE station_silent
COMMENT 'an air quality station has sent nothing for a minute'
AS INSERT INTO Alert (category, subCategory, severity, alertSource, assignedTo, description)
SELECT 'equipment', 'silent', 'medium', id, '市生态环境局',
       '监测站失联 / station silent'
FROM   AirQualityObserved
WHERE  absent(INTERVAL '60 seconds');
