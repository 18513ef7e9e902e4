"""The chart of the comparison: a panel for each figure, a bar for each that was measured."""
from xml.sax.saxutils import escape

from comparison.stores import STORES
from drawing import FLOOR, OTHER, OURS, ROW, bars, document

PANEL = 46


def color_of(name):
    return OURS if name.startswith("Ficus") else FLOOR if "floor" in name else OTHER


def panels(figures):
    """(title, [(name, value)]) of each figure."""
    stores = [f for key, f in sorted(figures.of("history").items(), key=lambda item: list(STORES).index(item[0])) if "rows" in f]
    chains = [f for f in figures.of("chain").values() if f.get("common")]
    out = []
    if stores:
        for title, get in (("history: rows a second until they are seen; more is better", lambda f: f["rows_per_second"]),
                           ("history: bytes a row, settled; less is better", lambda f: f["bytes_per_row"]),
                           ("history: newest reading of one vehicle, ms; less is better", lambda f: f["took_ms"]["last"]),
                           ("history: one vehicle's hour, ms; less is better", lambda f: f["took_ms"]["hour"]),
                           ("history: average of all per 5 minutes, ms; less is better", lambda f: f["took_ms"]["average"])):
            out.append((title, [(f["name"], get(f)) for f in stores]))
    if chains:
        out.append(("chain: greatest rate borne, messages a second; more is better",
                    [(f["name"], f["best"]["rate"]) for f in chains if f["best"]]))
        out.append(("chain: processor seconds a million messages, at that rate; less is better",
                    [(f["name"], f["best"]["processor_us"]) for f in chains if f["best"]]))
        out.append((f"chain: sensor to alert at {chains[0]['common']['rate']:,}/s, p99, ms; less is better",
                    [(f["name"], f["common"]["p99_us"] / 1000) for f in chains]))
    killed = [(part + (" beside VictoriaMetrics" if key == "victoria" and part != "VictoriaMetrics" else ""), found["lost"])
              for key, f in figures.of("kill").items() for part, found in f.get("parts", {}).items() if "lost" in found]
    if killed:
        out.append(("chain: acknowledged messages lost at kill -9 of ...; less is better", killed))
    return out


def draw(figures):
    parts, top = [], 34
    for title, values in panels(figures):
        parts.append(f'<text x="12" y="{top + 16}" font-weight="bold">{escape(title)}</text>')
        parts += bars(values, top + 24, color_of)
        top += PANEL + len(values) * ROW
    return document("Ficus beside what one would pick instead (logarithmic bars)", parts, top)
