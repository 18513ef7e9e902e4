// The history of one numeric attribute, followed live.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { api, describeError } from '../api.ts';
import { el, setText, throttled } from '../dom.ts';
import type { Entity } from '../entity.ts';
import * as format from '../format.ts';
import { text } from '../i18n.ts';
import { append, pointsOf, type Points } from './chart_points.ts';

export const kRanges = { '1h': 3_600_000, '24h': 86_400_000, '7d': 7 * 86_400_000, all: Infinity } as const;
export type Range = keyof typeof kRanges;

const kPointsMin = 200; // more where the chart is wider: one for each pixel

export interface ChartWish {
  readonly entity: Entity;
  readonly attribute: string;
  readonly name: string; // of the attribute, for people
  readonly unit: string;
  readonly decimals: number;
  readonly range: Range;
}

export class Chart {
  readonly element = el('div', { class: 'chart' });
  private readonly box = el('div', { class: 'chart-box' });
  private readonly note = el('p', { class: 'quiet-note chart-note', role: 'status' });
  private readonly readout = el('p', { class: 'readout' });
  private plot: uPlot | null = null;
  private wish: ChartWish | null = null;
  private points: Points = [[], [], [], []];
  private under_way: AbortController | null = null;
  private readonly redraw = throttled(() => this.draw(), 500);

  constructor(private readonly now: () => number) {
    this.element.append(this.readout, this.box, this.note);
    new ResizeObserver(() => {
      if (this.plot && this.box.clientWidth > 0) this.plot.setSize(this.size());
    }).observe(this.box);
  }

  async show(wish: ChartWish | null): Promise<void> {
    this.under_way?.abort();
    this.wish = wish;
    this.points = [[], [], [], []];
    this.drop();
    setText(this.note, text(wish ? 'chart_loading' : 'chart_none'));
    if (!wish) return;
    const stop = (this.under_way = new AbortController());
    try {
      const from = Math.max(0, this.now() - kRanges[wish.range]);
      const series = await api.history(wish.entity.id, wish.attribute, from, Math.max(kPointsMin, this.box.clientWidth), stop.signal);
      if (stop.signal.aborted) return;
      this.points = pointsOf(series, wish.attribute);
      setText(this.note, series.downsampled ? text('chart_downsampled') : '');
      this.follow();
      this.draw();
    } catch (error) {
      if (!stop.signal.aborted) setText(this.note, text('chart_failed', { reason: describeError(error) }));
    }
  }

  // The entity has changed.
  follow(): void {
    const { wish } = this;
    if (!wish) return;
    const value = wish.entity.values[wish.attribute];
    const at = wish.entity.times[wish.attribute];
    if (typeof value !== 'number' || at === undefined) return;
    if (append(this.points, at, value, this.now() - kRanges[wish.range])) this.redraw();
  }

  // Colours and words are read anew.
  repaint(): void {
    if (!this.plot) return;
    this.drop();
    this.draw();
  }

  private drop(): void {
    this.plot?.destroy();
    this.plot = null;
    setText(this.readout, '');
  }

  private draw(): void {
    if (!this.wish) return;
    const is_empty = this.points[0].length === 0;
    if (is_empty) {
      setText(this.note, text('chart_empty'));
      return;
    }
    if (this.note.textContent === text('chart_empty')) setText(this.note, '');
    if (this.plot) this.plot.setData(this.points);
    else this.plot = new uPlot(this.options(this.wish), this.points, this.box);
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(120, this.box.clientWidth), height: Math.max(90, this.box.clientHeight) };
  }

  private options(wish: ChartWish): uPlot.Options {
    const style = getComputedStyle(this.element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--text-quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: `11px ${style.fontFamily}`,
    };
    // The edges of the band are not drawn themselves.
    const edge: uPlot.Series = { stroke: 'transparent', width: 0, spanGaps: true, points: { show: false } };
    return {
      ...this.size(),
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: { y: false, drag: { x: true, y: false } },
      bands: [{ series: [3, 2], fill: colour('--accent-band') }],
      series: [
        {},
        {
          label: wish.name,
          stroke: colour('--accent'),
          width: 1.5,
          spanGaps: true,
          points: { show: (u) => u.data[0].length < 40, size: 5 },
        },
        edge,
        edge,
      ],
      axes: [
        { ...axis, values: (_u, splits, _axis, _space, step) => splits.map((s) => format.timeTick(s, step)), space: 70, size: 28 },
        { ...axis, values: (_u, splits) => splits.map((s) => format.number(s)), size: 56 },
      ],
      hooks: {
        setCursor: [
          (u) => {
            const i = u.cursor.idx;
            const at = i === null || i === undefined ? undefined : u.data[0][i];
            const value = i === null || i === undefined ? undefined : u.data[1]?.[i];
            const least = i === null || i === undefined ? undefined : u.data[2]?.[i];
            const greatest = i === null || i === undefined ? undefined : u.data[3]?.[i];
            if (at === undefined || typeof value !== 'number') return setText(this.readout, '');
            const is_band = typeof least === 'number' && typeof greatest === 'number' && least < greatest;
            const band = is_band ? `  (${format.number(least, wish.decimals)} – ${format.number(greatest, wish.decimals)})` : '';
            setText(this.readout, `${format.value(value, wish)}${band}  ·  ${format.dateTime(at * 1000)}`);
          },
        ],
      },
    };
  }
}
