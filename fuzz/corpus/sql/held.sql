CREATE RULE a COMMENT 'c' AS INSERT INTO Alert (x, y) SELECT speed * 2, plate || '!' FROM Vehicle v
WHERE held(v.speed > 40 AND within(location, zone('school')), INTERVAL '10 seconds') OR absent(INTERVAL 5 MINUTES);
