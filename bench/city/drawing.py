"""Charts as SVG: panels of bars, panels of curves. Scales are logarithmic, as the figures lie far apart."""
import math
from xml.sax.saxutils import escape

WIDTH, LABEL, BAR, ROW = 940, 320, 480, 20
OURS, OTHER, FLOOR = "#1b7f4d", "#8a94a3", "#cfd5dd"
CURVES = ("#1b7f4d", "#c2571a", "#3a5fa8", "#8a94a3")
# A panel of curves.
PLOT_WIDTH, PLOT_HEIGHT, PLOT_LEFT = 360, 170, 70


def text_of(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def document(title, parts, height):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="12" fill="#1f2933">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
            f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n")


def bars(values, top, color_of):
    """A bar for each (name, value)."""
    known = [v for _, v in values if v > 0]
    low = math.floor(math.log10(min(known))) if known else 0
    high = max(low + 1, math.log10(max(known))) if known else 1
    for i, (name, value) in enumerate(values):
        y = top + i * ROW
        share = (math.log10(value) - low) / (high - low) if value > 0 else 0
        width = max(2, share * BAR) if value > 0 else 0
        yield (f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
               f'<rect x="{LABEL}" y="{y + 3}" width="{width:.0f}" height="{ROW - 7}" fill="{color_of(name)}"/>'
               f'<text x="{LABEL + width + 6:.0f}" y="{y + 13}">{text_of(value) if value else "0"}</text>')


def decades(values):
    """The powers of ten around the values, at least one decade apart."""
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def curves(title, x_title, series, left, top):
    """`series`: name -> [(x, y)], both greater than 0; drawn with its top left corner there."""
    points = [point for line in series.values() for point in line]
    x_low, x_high = decades([x for x, _ in points])
    y_low, y_high = decades([y for _, y in points])

    def place(x, y):
        return (left + PLOT_LEFT + (math.log10(x) - x_low) / (x_high - x_low) * PLOT_WIDTH,
                top + 30 + (1 - (math.log10(y) - y_low) / (y_high - y_low)) * PLOT_HEIGHT)

    yield f'<text x="{left + 12}" y="{top + 16}" font-weight="bold">{escape(title)}</text>'
    for exponent in range(y_low, y_high + 1):
        x, y = place(10 ** x_low, 10 ** exponent)
        yield (f'<line x1="{x:.0f}" x2="{x + PLOT_WIDTH:.0f}" y1="{y:.0f}" y2="{y:.0f}" stroke="{FLOOR}"/>'
               f'<text x="{x - 6:.0f}" y="{y + 4:.0f}" text-anchor="end">{short(10 ** exponent)}</text>')
    for exponent in range(x_low, x_high + 1):
        x, y = place(10 ** exponent, 10 ** y_low)
        yield f'<text x="{x:.0f}" y="{y + 16:.0f}" text-anchor="middle">{short(10 ** exponent)}</text>'
    x, y = place(10 ** x_low, 10 ** y_low)
    yield f'<text x="{x + PLOT_WIDTH / 2:.0f}" y="{y + 32:.0f}" text-anchor="middle">{escape(x_title)}</text>'
    for number, (name, line) in enumerate(series.items()):
        color = CURVES[number % len(CURVES)]
        spots = [place(x, y) for x, y in line]
        yield f'<polyline fill="none" stroke="{color}" stroke-width="2" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in spots) + '"/>'
        for x, y in spots:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
        yield (f'<text x="{left + PLOT_LEFT + 8}" y="{top + 30 + PLOT_HEIGHT - 8 - 15 * (len(series) - 1 - number)}" fill="{color}">'
               f'{escape(name)}</text>')


CURVES_HEIGHT = PLOT_HEIGHT + 84
