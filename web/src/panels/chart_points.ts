// What a chart draws: times and values side by side, times rising. Where history is downsampled, a point
// is the mean of several values; the least and the greatest of them make the band around it.
import type { Series } from '../api.ts';
import { timeOf } from '../entity.ts';

export type Points = [times_s: number[], values: number[], least: number[], greatest: number[]];

const kPointsMax = 6000; // then the oldest go

// Rows of a history answer; only numbers count.
export function pointsOf(series: Series, attribute: string): Points {
  const time_column = series.columns.indexOf('observedAt');
  const column = series.columns.indexOf(attribute);
  const least_column = series.columns.indexOf(`${attribute}_min`);
  const greatest_column = series.columns.indexOf(`${attribute}_max`);
  const points: [time: number, value: number, least: number, greatest: number][] = [];
  const numberOr = (given: unknown, otherwise: number) => (typeof given === 'number' ? given : otherwise);
  for (const row of series.rows) {
    const at = timeOf(row[time_column]);
    const value = row[column];
    if (at <= 0 || typeof value !== 'number') continue;
    points.push([at / 1000, value, numberOr(row[least_column], value), numberOr(row[greatest_column], value)]);
  }
  points.sort((a, b) => a[0] - b[0]);
  return [points.map((p) => p[0]), points.map((p) => p[1]), points.map((p) => p[2]), points.map((p) => p[3])];
}

// Adds a live value and drops what has become older than `oldest_ms`. What is not newer than the last
// point is left out. Returns whether it was added.
export function append(points: Points, at_ms: number, value: number, oldest_ms: number): boolean {
  const [times] = points;
  const last = times[times.length - 1];
  if (at_ms <= 0 || (last !== undefined && at_ms / 1000 <= last)) return false;
  points.forEach((column, i) => column.push(i === 0 ? at_ms / 1000 : value));
  let drop = Math.max(0, times.length - kPointsMax);
  while (drop < times.length && (times[drop] ?? Infinity) * 1000 < oldest_ms) drop += 1;
  points.forEach((column) => column.splice(0, drop));
  return true;
}
