"""The page in a real browser against the simulated city: things move, an incident becomes an alert, an operator
acknowledges it and the API agrees."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

import harness

SCREENSHOTS = os.environ.get("FICUS_SCREENSHOTS")


def browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader",
                 "--enable-unsafe-swiftshader", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=1280,800",
                 f"--user-data-dir={folder}/profile", "--lang=zh-CN"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-page-"))
        cls.http = harness.free_port()
        cls.mqtt = harness.free_port()
        cls.log = open(cls.folder / "demo.log", "wb")
        environment = {**os.environ, "FICUS_PACKS": str(harness.ROOT / "packs")}
        cls.demo = subprocess.Popen(
            [str(harness.BINARY), "demo", "--data", str(cls.folder / "data"), "--http", f"127.0.0.1:{cls.http}", "--mqtt",
             f"127.0.0.1:{cls.mqtt}", "--speed", "2"], stdout=cls.log, stderr=cls.log, env=environment)
        cls.url = f"http://127.0.0.1:{cls.http}"
        cls.wait(lambda: cls.get("/health")["entities"] > 100, 120, "the simulated city")
        cls.driver = browser(cls.folder)
        cls.driver.get(cls.url + "/")

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        cls.demo.send_signal(signal.SIGTERM)
        cls.demo.wait(20)
        cls.log.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def get(cls, path):
        with urllib.request.urlopen(cls.url + path, timeout=20) as answer:
            return json.load(answer)

    @staticmethod
    def wait(condition, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                value = condition()
            except OSError:
                value = None
            if value:
                return value
            time.sleep(0.2)
        raise AssertionError(f"waited {seconds} s in vain for {what}")

    def find(self, name):
        return self.driver.find_elements(By.CSS_SELECTOR, f"[data-testid='{name}']")

    def screenshot(self, name):
        if SCREENSHOTS:
            self.driver.save_screenshot(f"{SCREENSHOTS}/{name}.png")

    def positions(self):
        return self.driver.execute_script(
            "const p = window.ficus.positions; return p instanceof Map ? Object.fromEntries(p) : p")

    def test_1_entities_move_on_the_map(self):
        before = self.wait(lambda: len(self.positions()) > 50 and self.positions(), 60, "entities on the map")

        def moved():
            after = self.positions()
            return [i for i in before if i in after and before[i] != after[i] and ":Vehicle:" in i]

        self.wait(lambda: len(moved()) > 20, 60, "vehicles that move")
        canvas = self.driver.find_element(By.CSS_SELECTOR, "[data-testid='map'] canvas")
        self.assertGreater(canvas.size["width"], 300)
        self.assertTrue(self.find("simulated-badge")[0].is_displayed(), "simulated data must be labelled")
        self.screenshot("map")

    def test_2_an_incident_becomes_an_alert_and_is_acknowledged(self):
        row = self.wait(lambda: [r for r in self.find("alert-row") if r.get_attribute("data-status") == "raised"], 120,
                        "an alert on the page")[0]
        alert = row.get_attribute("data-alert-id")
        # The name of the operator is asked for once.
        row.find_element(By.CSS_SELECTOR, "[data-testid='ack-button']").click()
        self.name_operator()
        path = "/alerts/" + harness.quote(alert) + "?options=keyValues"
        done = self.wait(lambda: self.get(path).get("acknowledgedBy"), 15, "the acknowledgement in the API")
        self.assertEqual(done, "王芳")
        self.assertIn(self.get(path)["status"], ("acknowledged", "cleared"))
        self.screenshot("alert")

    def name_operator(self):
        field = self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, "dialog[open] input"), 10, "the question for the name")[0]
        field.send_keys("王芳")
        self.driver.find_element(By.CSS_SELECTOR, "dialog[open] button.primary").click()

    def test_3_both_languages_and_no_errors(self):
        def heading():
            return self.driver.find_element(By.TAG_NAME, "h1").text, self.driver.find_element(
                By.TAG_NAME, "html").get_attribute("lang")

        before = heading()
        self.find("lang-switch")[0].click()
        self.wait(lambda: all(now != then for now, then in zip(heading(), before)), 20, "the other language")
        self.screenshot("other-language")
        errors = [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        self.assertEqual(errors, [])

    def test_4_the_books_are_shown_and_balance(self):
        for source in self.get("/sources")["sources"]:
            harness.assert_balanced(self, source)
            self.assertTrue(source["simulated"])
        self.wait(lambda: self.find("source-row"), 20, "the sources on the page")


if __name__ == "__main__":
    unittest.main(verbosity=2)
