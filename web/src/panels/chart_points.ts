// What a chart draws: times and values side by side, times rising.
import type { Series } from '../api.ts';
import { timeOf } from '../entity.ts';

export type Points = [times_s: number[], values: (number | null)[]];

const kPointsMax = 6000; // then the oldest go

// Rows of a history answer; only numbers count.
export function pointsOf(series: Series, attribute: string): Points {
  const time_column = series.columns.indexOf('observedAt');
  const column = series.columns.indexOf(attribute);
  const pairs: [number, number][] = [];
  for (const row of series.rows) {
    const at = timeOf(row[time_column]);
    const value = row[column];
    if (at > 0 && typeof value === 'number') pairs.push([at / 1000, value]);
  }
  pairs.sort((a, b) => a[0] - b[0]);
  return [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
}

// Adds a live value and drops what has become older than `oldest_ms`. What is not newer than the last
// point is left out. Returns whether it was added.
export function append(points: Points, at_ms: number, value: number, oldest_ms: number): boolean {
  const [times, values] = points;
  const last = times[times.length - 1];
  if (at_ms <= 0 || (last !== undefined && at_ms / 1000 <= last)) return false;
  times.push(at_ms / 1000);
  values.push(value);
  let drop = Math.max(0, times.length - kPointsMax);
  while (drop < times.length && (times[drop] ?? Infinity) * 1000 < oldest_ms) drop += 1;
  times.splice(0, drop);
  values.splice(0, drop);
  return true;
}
