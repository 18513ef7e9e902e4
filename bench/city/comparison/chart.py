"""The chart of the comparison: a panel for each figure, a bar for each that was measured; scales are logarithmic, as the figures lie
far apart."""
import math
from xml.sax.saxutils import escape

from comparison.stores import STORES

WIDTH, LABEL, BAR, ROW, PANEL = 940, 320, 480, 20, 46
OURS, OTHER, FLOOR = "#1b7f4d", "#8a94a3", "#cfd5dd"


def text_of(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


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


def bars(values, top):
    known = [v for _, v in values if v > 0]
    low = math.floor(math.log10(min(known))) if known else 0
    high = max(low + 1, math.log10(max(known))) if known else 1
    for i, (name, value) in enumerate(values):
        y = top + i * ROW
        share = (math.log10(value) - low) / (high - low) if value > 0 else 0
        color = OURS if name.startswith("Ficus") else FLOOR if "floor" in name else OTHER
        width = max(2, share * BAR) if value > 0 else 0
        yield (f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
               f'<rect x="{LABEL}" y="{y + 3}" width="{width:.0f}" height="{ROW - 7}" fill="{color}"/>'
               f'<text x="{LABEL + width + 6:.0f}" y="{y + 13}">{text_of(value) if value else "0"}</text>')


def draw(figures):
    parts, top = [], 34
    for title, values in panels(figures):
        parts.append(f'<text x="12" y="{top + 16}" font-weight="bold">{escape(title)}</text>')
        parts += bars(values, top + 24)
        top += PANEL + len(values) * ROW
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
            'font-family="sans-serif" font-size="12" fill="#1f2933">\n'
            f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n'
            '<text x="12" y="24" font-size="15" font-weight="bold">Ficus beside what one would pick instead (logarithmic bars)</text>\n'
            + "\n".join(parts) + "\n</svg>\n")
