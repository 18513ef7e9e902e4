"""Figures in bench/comparison.json; from them the section of bench/RESULTS.md."""
import json
import pathlib

from comparison import chart
from comparison.stores import STORES
from servers import ROOT

FIGURES = ROOT / "bench/comparison.json"
RESULTS = ROOT / "bench/RESULTS.md"
CHART = ROOT / "bench/comparison.svg"
NOTES = pathlib.Path(__file__).resolve().parent / "notes.md"
BEGIN, END = "<!-- written by bench/city/compare -->\n", "<!-- end of what bench/city/compare writes -->\n"
MIB = 1 << 20


class Figures:
    """case -> key (a store, a chain, a case of bench/city/run) -> figures, each with when and where it was taken."""

    def __init__(self):
        self.read()

    def read(self):
        self.cases = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}

    def keep(self, case, results, circumstances):
        self.read()  # another piece may have ended meanwhile
        known = self.cases.setdefault(case, {})
        for key, figures in results.items():
            known[key] = {**figures, **circumstances}
        FIGURES.write_text(json.dumps(self.cases, indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    def of(self, case):
        return self.cases.get(case, {})


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def best_marked(columns):
    """Columns of (value, text, is_greater_better); the best of each in bold, values of None never."""
    out = []
    for values, texts, is_greater_better in columns:
        known = [v for v in values if v is not None]
        best = (max if is_greater_better else min)(known) if known else None
        out.append([f"**{text}**" if value is not None and value == best else text for value, text in zip(values, texts)])
    return list(zip(*out))


def mqtt(figures):
    rows = []
    for case in figures.values():
        rows += [[row[0], row[1], row[2], row[6] if "mosquitto" in row[6] else ""] for row in case.get("rows", [])]
        if "not_measured" in case:
            rows.append(["not measured", case["not_measured"], "", ""])
    return "### MQTT\n\n" + table(["what", "Ficus", "beside it", ""], rows)


def history(figures):
    keys = [key for key in STORES if key in figures and "rows" in figures[key]]
    of = [figures[key] for key in keys]

    def column(get, is_greater_better, floor=True):
        values = [get(f) if floor or k != "duckdb" else None for k, f in zip(keys, of)]
        return values, [number(get(f)) for f in of], is_greater_better

    columns = [column(lambda f: f["rows_per_second"], True, False), column(lambda f: f["processor_us_per_row"], False, False),
               column(lambda f: f["bytes_per_row"], False, False), column(lambda f: f["all_bytes_per_row"], False, False)]
    for question in ("last", "hour", "average", "count"):
        values = [None if k == "duckdb" or question in f["differs"] else f["took_ms"][question] for k, f in zip(keys, of)]
        texts = [number(f["took_ms"][question]) + (" (other answer)" if question in f["differs"] else "") for f in of]
        columns.append((values, texts, False))
    columns.append(column(lambda f: f["memory"] / MIB, False, False))
    rows = [[f["name"], *cells] for f, cells in zip(of, best_marked(columns))]
    text = "### History: the same vehicle tracks\n\n"
    if of:
        text += (f"{of[0]['rows']:,} rows: {of[0]['rows'] // 3600:,} vehicles, once a second for an hour, six attributes. Each question's median; "
                 "the best in bold, the floor apart. All answers were compared with one another.\n\n")
    text += table(["store", "rows/s until seen", "processor µs a row", "bytes a row", "with logs", "newest of one, ms", "one's hour, ms",
                   "average per 5 min, ms", "count, ms", "memory, MiB"], rows)
    text += "\n" + table(["store", "version", "fed by", "settings", "an acknowledgement means"],
                         [[f["name"], f["version"], f["protocol"], f["settings"] + (f"; {f['note']}" if f["note"] else ""), f["durability"]]
                          for f in of])
    for key, f in figures.items():
        if "not_measured" in f:
            text += f"\n{f['name']}: not measured: {f['not_measured']}\n"
    return text


def chain(figures):
    rows = []
    known = [f for f in figures.values() if "common" in f]
    rate = known[0]["common"]["rate"] if known else 0
    columns = [
        ([f["best"] and f["best"]["rate"] for f in known], [f"{f['best']['rate']:,}/s" if f["best"] else "none" for f in known], True),
        ([f["best"] and f["best"]["processor_us"] for f in known],
         [number(f["best"]["processor_us"]) + " s" if f["best"] else "" for f in known], False),
        ([f["common"]["p50_us"] for f in known], [number(f["common"]["p50_us"] / 1000) + " ms" for f in known], False),
        ([f["common"]["p99_us"] for f in known], [number(f["common"]["p99_us"] / 1000) + " ms" for f in known], False),
        ([f["common"]["processor_us"] for f in known], [number(f["common"]["processor_us"]) + " s" for f in known], False),
        ([f["common"]["memory"] for f in known], [f"{f['common']['memory'] / MIB:,.0f} MiB" for f in known], False),
        ([f["common"]["bytes_per_message"] for f in known], [number(f["common"]["bytes_per_message"]) for f in known], False)]
    rows = [[f["name"], *cells] for f, cells in zip(known, best_marked(columns))]
    text = "### The whole chain: sensor to alert and history\n\n" + table(
        ["chain", "greatest rate borne", "processor, a million messages at that rate", f"sensor to alert at {rate:,}/s, p50", "p99",
         "processor, a million messages", "memory", "bytes on disk a message, logs too"], rows)
    for f in figures.values():
        if "not_measured" in f:
            text += f"\n{f['name']}: not measured: {f['not_measured']}\n"
    return text


def kill(figures):
    rows = []
    for f in figures.values():
        for part, found in f.get("parts", {}).items():
            rows.append([f["name"], part, f"not measured: {found['not_measured']}", ""] if "not_measured" in found else
                        [f["name"], part, f"{found['acknowledged']:,} in {found['kills']} kills", f"**{found['lost']:,}**"])
    return "### Lost at `kill -9`: acknowledged at QoS 1, in no history afterwards\n\nAt a rate of 1,000/s unless told otherwise. Node-RED away: killed two seconds before the broker, so that messages wait in the broker. Saves: how often mosquitto writes its state to disk (`autosave_interval`, `autosave_on_changes`).\n\n" + table(
        ["chain", "killed", "messages acknowledged", "of these lost"], rows)


PARTS = {"mqtt": mqtt, "history": history, "chain": chain, "kill": kill}


def circumstances(figures):
    lines = []
    for case in PARTS:
        entries = figures.of(case).values()
        if not entries:
            lines.append(f"- {case}: not measured yet")
            continue
        taken = sorted(f["taken"] for f in entries)
        when = taken[0] if taken[0] == taken[-1] else f"{taken[0]} to {taken[-1]}"
        lines.append(f"- {case}: {when}; load of the machine before (1 min): {max(f['load_before'] for f in entries)}")
    machines = sorted({f["machine"] for case in PARTS for f in figures.of(case).values()})
    return "Machine: " + "; ".join(machines) + ". Taken:\n\n" + "\n".join(lines) + "\n"


def section(figures):
    text = "## Beside what one would pick instead\n\n    bench/city/install_peers\n    bench/city/compare\n\n" + circumstances(figures)
    text += "\n![Ficus beside what one would pick instead](comparison.svg)\n"
    for case, make in PARTS.items():
        if figures.of(case):
            text += "\n" + make(figures.of(case))
    return text + "\n" + NOTES.read_text()


def replace_section(begin, new, end):
    """The part of RESULTS.md between two lines; at its end where there is none yet."""
    text = RESULTS.read_text()
    if begin in text:
        before, rest = text.split(begin, 1)
        text = before + begin + new + end + rest.split(end, 1)[1]
    else:
        text = text.rstrip("\n") + "\n\n" + begin + new + end
    RESULTS.write_text(text)


def write(figures):
    replace_section(BEGIN, section(figures), END)
    CHART.write_text(chart.draw(figures))
