CREATE RULE t AS INSERT INTO Alert (x) SELECT CASE WHEN plate LIKE '闽%' THEN upper(trim(plate)) ELSE substring(plate, 2, -1) END
FROM Vehicle WHERE plate ILIKE 'a_' ESCAPE '_' OR plate NOT IN ('x', NULL) OR starts_with(lower(plate), 'a') IS NOT FALSE; -- c
