CREATE RULE fast AS
INSERT INTO Alert (severity) SELECT 'high' FROM Tram WHERE speed > 60;

CREATE RULE long_fast AS
INSERT INTO Alert (severity) SELECT 'low' FROM Tram WHERE held(speed > 30, INTERVAL '100 seconds');

CREATE RULE in_depot AS
INSERT INTO Alert (severity) SELECT 'low' FROM Tram WHERE within(location, zone('depot'));
