"""Four years of Beijing's air quality over MQTT QoS 1, against an independent computation in Python."""
import csv
import datetime
import io
import subprocess
import unittest

import harness

FOLDER = harness.DATA / "beijing-prsa"
HELD = 3  # hours, at least
LIMIT = 150


@unittest.skipUnless(FOLDER.exists(), f"recorded data is not there: {FOLDER}")
class BeijingAir(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = 0
        cls.quarantined = []  # (station, number of the record): the copy has a reading of one blank
        cls.alerts = {}  # station -> moments at which PM2.5 had been over the limit for so long
        cls.sum_pm25 = 0.0
        cls.readings_pm25 = 0
        for path in sorted(FOLDER.glob("*.csv.zst")):
            cls.count_station(csv.DictReader(io.StringIO(harness.read_zst(path).decode())))

    @classmethod
    def count_station(cls, records):
        since = None
        value = None  # the latest known: an hour without a reading leaves it as it was
        raised = False
        for number, record in enumerate(records):
            if any(not cls.is_reading(record[name]) for name in ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP")):
                cls.quarantined.append((record["station"], number))
                continue
            cls.rows += 1
            now = datetime.datetime(int(record["year"]), int(record["month"]), int(record["day"]), int(record["hour"]))
            if record["PM2.5"] != "NA":
                value = float(record["PM2.5"])
                cls.sum_pm25 += value
                cls.readings_pm25 += 1
            if value is None or value <= LIMIT:
                since, raised = None, False
                continue
            since = since or now
            if not raised and now - since >= datetime.timedelta(hours=HELD):
                raised = True
                cls.alerts.setdefault(record["station"], []).append(now - datetime.timedelta(hours=8))

    @staticmethod
    def is_reading(text):
        try:
            return text == "NA" or float(text) is not None
        except ValueError:
            return False

    def test_rows_and_alerts(self):
        with harness.Brain("air") as brain:
            heard = brain.folder / "alerts.txt"
            with open(heard, "wb") as out:
                listener = subprocess.Popen(["mosquitto_sub", "-p", str(brain.mqtt_port), "-t", "ficus/alert/#", "-q", "1",
                                             "-F", "%t"], stdout=out)
            print(brain.run("replay", str(FOLDER), "--to",
                            f"mqtt://127.0.0.1:{brain.mqtt_port}/beijing/air/{{station}}", "--speed", "0"), end="")
            books = brain.books("air")
            harness.assert_balanced(self, books)
            self.assertEqual(books["received"], self.rows + len(self.quarantined))
            self.assertEqual(books["quarantined"], len(self.quarantined))
            brain.wait_for_history("AirQualityObserved", self.rows)
            count, readings, total = brain.sql("SELECT count(*), count(pm25), sum(pm25) FROM AirQualityObserved")[0]
            self.assertEqual((count, readings), (self.rows, self.readings_pm25))
            self.assertAlmostEqual(float(total), self.sum_pm25, delta=1e-6 * self.sum_pm25)
            expected = sum(len(moments) for moments in self.alerts.values())
            self.assertGreater(expected, 100)
            raised = brain.sql("SELECT alertSource, dateIssued FROM Alert WHERE status = 'raised' ORDER BY 1, 2")
            found = {}
            for source, moment in raised:
                found.setdefault(source.rsplit(":", 1)[1], []).append(
                    datetime.datetime.fromisoformat(moment.replace("Z", "")))
            self.assertEqual(found, self.alerts)
            changes = brain.sql("SELECT count(*) FROM Alert")[0][0]
            brain.wait_for("every step of every alert as a message", lambda: heard.read_bytes().count(b"\n") == changes, 20)
            listener.terminate()
            listener.wait()
            self.assertEqual(set(heard.read_text().splitlines()), {"ficus/alert/市生态环境局/high/heavy_pollution"})
            # One more time the same: every row is recognised as a repetition or as old news.
            station = sorted(FOLDER.glob("*.csv.zst"))[0]
            brain.run("replay", str(station), "--to", f"mqtt://127.0.0.1:{brain.mqtt_port}/beijing/air/{{station}}",
                      "--speed", "0", "--limit", "1000")
            again = brain.books("air")
            harness.assert_balanced(self, again)
            self.assertEqual(again["applied"], books["applied"])
            bad = sum(1 for name, number in self.quarantined if name in station.name and number < 1000)
            self.assertEqual(again["received"], books["received"] + 1000)
            self.assertEqual(again["duplicate"], books["duplicate"] + 1000 - bad)
            self.assertEqual(again["quarantined"], books["quarantined"] + bad)
            self.assertLess(brain.stop(), 5.0, "SIGTERM must stop within 5 s")
            # The books and the twin survive, and nothing is in history twice.
            brain.start()
            self.assertEqual({k: v for k, v in brain.books("air").items() if k != "ratePerSecond"},
                             {k: v for k, v in again.items() if k != "ratePerSecond"})
            self.assertEqual(brain.sql("SELECT count(*) FROM AirQualityObserved")[0][0], self.rows)


if __name__ == "__main__":
    unittest.main(verbosity=2)
