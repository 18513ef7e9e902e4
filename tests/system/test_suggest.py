"""`ficus source suggest` on recorded data: what it proposes is accepted by `ficus check` and maps the samples."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness


class Suggest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-suggest-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def suggest(self, samples, *words):
        """The proposal's two texts, and (items, mapped)."""
        pack = self.folder / "pack"
        shutil.rmtree(pack, ignore_errors=True)
        done = subprocess.run([str(harness.BINARY), "source", "suggest", "--out", str(pack), *words], input=samples,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        counts = re.search(r"(\d+) items, of which the proposal maps (\d+)", done.stderr.decode())
        config = self.folder / "ficus.yaml"
        config.write_text(f"data_directory: {self.folder}/data\npacks: [{pack}]\n", encoding="utf-8")
        checked = subprocess.run([str(harness.BINARY), "check", "--config", str(config)], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=60, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout.decode())
        return ((pack / "types.yaml").read_text(encoding="utf-8"), (pack / "sources.yaml").read_text(encoding="utf-8"),
                int(counts[1]), int(counts[2]))

    @unittest.skipUnless((harness.DATA / "beijing-prsa").exists(), "recorded data is not there")
    def test_beijing_air(self):
        path = sorted((harness.DATA / "beijing-prsa").glob("*.zst"))[0]
        text = b"".join(harness.read_zst(path).splitlines(keepends=True)[:3000])
        types, sources, items, mapped = self.suggest(text)
        self.assertEqual((items, mapped), (2999, 2999))
        for part in ("AirQualityObserved", "pm25: {kind: number, unit: \"GQ\"}", "temp: {kind: number, unit: \"CEL\"}",
                     "pres: {kind: number, unit: \"A97\"}", "wspm: {kind: number, unit: \"MTS\"}"):
            self.assertIn(part, types)
        for part in ("{$.station}", "year: \"$.year\"", "missing_values: [\"NA\"]", "\"NNW\": 337.5"):
            self.assertIn(part, sources)

    @unittest.skipUnless((harness.DATA / "transdim").exists(), "recorded data is not there")
    def test_birmingham_car_parks(self):
        text = harness.read_zst(harness.DATA / "transdim/birmingham_parking.csv.zst")
        _, sources, items, mapped = self.suggest(text)
        self.assertEqual(items, mapped)
        self.assertIn("OffStreetParking:{$.park}", sources)
        self.assertIn("CHECK: no value looks like the time", sources)

    @unittest.skipUnless((harness.DATA / "smart-data-models").exists(), "recorded data is not there")
    def test_smart_data_models(self):
        documents = [path for path in (harness.DATA / "smart-data-models").rglob("*.json") if "example" in path.name]
        self.assertGreater(len(documents), 5)
        whole = 0
        for path in documents:
            _, sources, items, mapped = self.suggest(path.read_bytes())
            whole += items == mapped
            self.assertGreaterEqual(items, 1, path)
        self.assertGreaterEqual(whole, len(documents) * 0.9)

    def test_vehicles_by_topic_and_folders_that_are_there(self):
        text = "\n".join(json.dumps({"ts": 1_790_000_000_000 + i, "speed": i, "gcj_lon": 119.3, "gcj_lat": 26.0})
                         for i in range(50)).encode()
        types, sources, items, mapped = self.suggest(text, "--topic", "city/vehicle/{vehicle}")
        self.assertEqual((items, mapped), (50, 50))
        self.assertIn("crs: GCJ-02", sources)
        self.assertIn("{vehicle}", sources)
        self.assertIn("unit: \"KMH\"", types)
        again = subprocess.run([str(harness.BINARY), "source", "suggest", "--out", str(self.folder / "pack")], input=text,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is there already", again.stderr.decode())


if __name__ == "__main__":
    unittest.main()
