-- Twenty rules that look at every message and seldom fire.
CREATE RULE bench_00 AS INSERT INTO Alert (category, severity, alertSource, description)
SELECT 'bench', 'low', id, 'speed ' || speed FROM Vehicle WHERE speed > 200 AND fuel < 10 AND status = 'moving';

CREATE RULE bench_01 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 201 AND fuel < 11 AND status = 'moving';

CREATE RULE bench_02 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 202 AND fuel < 12 AND status = 'moving';

CREATE RULE bench_03 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 203 AND fuel < 13 AND status = 'moving';

CREATE RULE bench_04 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 204 AND fuel < 14 AND status = 'moving';

CREATE RULE bench_05 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 205 AND fuel < 15 AND status = 'moving';

CREATE RULE bench_06 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 206 AND fuel < 16 AND status = 'moving';

CREATE RULE bench_07 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 207 AND fuel < 17 AND status = 'moving';

CREATE RULE bench_08 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 208 AND fuel < 18 AND status = 'moving';

CREATE RULE bench_09 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 209 AND fuel < 19 AND status = 'moving';

CREATE RULE bench_10 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 210 AND fuel < 20 AND status = 'moving';

CREATE RULE bench_11 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 211 AND fuel < 21 AND status = 'moving';

CREATE RULE bench_12 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 212 AND fuel < 22 AND status = 'moving';

CREATE RULE bench_13 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 213 AND fuel < 23 AND status = 'moving';

CREATE RULE bench_14 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 214 AND fuel < 24 AND status = 'moving';

CREATE RULE bench_15 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 215 AND fuel < 25 AND status = 'moving';

CREATE RULE bench_16 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 216 AND fuel < 26 AND status = 'moving';

CREATE RULE bench_17 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 217 AND fuel < 27 AND status = 'moving';

CREATE RULE bench_18 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 218 AND fuel < 28 AND status = 'moving';

CREATE RULE bench_19 AS INSERT INTO Alert (category, severity, description)
SELECT 'bench', 'low', 'speed ' || speed FROM Vehicle WHERE speed > 219 AND fuel < 29 AND status = 'moving';
