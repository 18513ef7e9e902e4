CREATE RULE n AS INSERT INTO Alert (x) SELECT round(sqrt(speed), 2) // 3 % 2 FROM Vehicle
WHERE speed BETWEEN -1e3 AND .5 AND least(speed, NULL, 1) IS DISTINCT FROM nullif(speed, 0) /* /* n */ */;
