"""Ingest, bytes and questions of each store over the same rows; an answer counts only if it is the same as the others'."""
import math
import shutil
import statistics
import subprocess
import sys
import time

from comparison.process import new_folder, wait_for
from comparison.stores import STORES, Data
from servers import BIN, GENERATOR_CORE

QUESTIONS = {"last": 21, "hour": 15, "average": 7, "count": 7}  # how often each is asked
TOLERANCE = 1e-5  # PostgreSQL and ClickHouse keep speeds as 32-bit numbers here


def same(one, other):
    """The same answer, but for the rounding of numbers."""
    if isinstance(one, (list, tuple)):
        return isinstance(other, (list, tuple)) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def make_rows(arguments):
    """The hour before the last whole one: no store may find it old."""
    begin = int(time.time()) // 3600 * 3600 - 2 * 3600
    data = Data(new_folder(), max(1, arguments.rows // 3600), begin)
    subprocess.run(GENERATOR_CORE + [str(BIN / "city_tracks"), str(data.folder), str(data.vehicles), str(data.seconds), str(data.begin)], check=True)
    return data


def ask(store, data):
    """Median milliseconds and all answers of each question."""
    took, answers = {}, {}
    for question, times in QUESTIONS.items():
        samples, found = [], []
        for number in range(times):
            words = [data.vehicle(number)] if question in ("last", "hour") else []
            found.append(getattr(store, question)(*words))
            samples.append(store.seconds_of_answer() * 1000)
        took[question] = statistics.median(samples)
        answers[question] = [list(map(list, f)) if question == "hour" else f for f in found]
    return took, answers


def measure(kind, data):
    with kind(data) as store:
        store.prepare()
        used, begin = store.processor_seconds(), time.monotonic()
        store.load()
        store.make_visible()
        wait_for(f"all rows of {store.name}", lambda: store.count() >= data.rows, 120)
        seconds = time.monotonic() - begin
        used = store.processor_seconds() - used
        store.settle()
        took, answers = ask(store, data)
        figures = {"name": store.name, "version": store.version, "protocol": store.protocol, "settings": store.settings,
                   "durability": store.durability, "note": store.note, "rows": data.rows, "rows_per_second": data.rows / seconds,
                   "processor_us_per_row": used / data.rows * 1e6, "bytes_per_row": store.store_bytes() / data.rows,
                   "all_bytes_per_row": store.all_bytes() / data.rows, "memory": store.memory(), "took_ms": took}
    return figures, answers


def run(arguments, say):
    """Figures of each store by its key. The floor's answers are the ones that others are held against."""
    results, reference = {}, None
    data = make_rows(arguments)
    try:
        for key in ["duckdb"] + [k for k in arguments.store or STORES if k != "duckdb"]:
            try:
                figures, answers = measure(STORES[key], data)
            except Exception as error:  # a peer that cannot be measured is said to be so
                results[key] = {"name": STORES[key].name, "not_measured": str(error)[:300]}
                say(f"{key}: not measured: {error}")
                if key == "duckdb":
                    raise
                continue
            reference = reference or answers
            figures["differs"] = [q for q in QUESTIONS if not same(answers[q], reference[q])]
            for question in figures["differs"]:
                print(f"{key} answers {question} differently: {str(answers[question][0])[:200]} instead of {str(reference[question][0])[:200]}",
                      file=sys.stderr)
            results[key] = figures
            say(f"{key}: {figures['rows_per_second']:,.0f} rows/s, {figures['processor_us_per_row']:.2f} us/row, "
                f"{figures['bytes_per_row']:.2f} bytes/row, " + ", ".join(f"{q} {ms:.2f} ms" for q, ms in figures["took_ms"].items()))
    finally:
        shutil.rmtree(data.folder, ignore_errors=True)
    return results
