import { describe, expect, it } from 'vitest';
import { allowedSteps, alertOf, newestFirst, passes } from '../alert.ts';
import type { SourceBooks } from '../api.ts';
import { unaccounted } from '../books.ts';
import { makeEntity, merge } from '../entity.ts';
import { retryDelay } from '../live.ts';
import { boundsOfFeatures, boundsOfMost } from '../map/bounds.ts';
import { append, pointsOf, type Points } from './chart_points.ts';
import { find } from './find.ts';

describe('the points of a chart', () => {
  const series = {
    columns: ['observedAt', 'speed'],
    rows: [
      ['2026-05-01T08:00:02Z', 2],
      ['2026-05-01T08:00:01Z', 1],
      ['2026-05-01T08:00:03Z', null],
      ['nonsense', 4],
    ],
  };

  it('rise in time and are numbers', () => {
    const start = Date.parse('2026-05-01T08:00:00Z') / 1000;
    expect(pointsOf(series, 'speed')).toEqual([[start + 1, start + 2], [1, 2], [1, 2], [1, 2]]);
    expect(pointsOf(series, 'heading')).toEqual([[], [], [], []]);
  });

  it('have a band where history is downsampled', () => {
    const mean = { columns: ['observedAt', 'speed', 'speed_min', 'speed_max'], rows: [['2026-05-01T08:00:01Z', 2, 1, 4]] };
    expect(pointsOf(mean, 'speed').slice(1)).toEqual([[2], [1], [4]]);
  });

  it('grow at the end and lose what leaves the range', () => {
    const points: Points = [[10, 20], [1, 2], [0, 1], [2, 3]];
    expect(append(points, 20_000, 9, 0)).toBe(false);
    expect(append(points, 0, 9, 0)).toBe(false);
    expect(append(points, 30_000, 3, 15_000)).toBe(true);
    expect(points).toEqual([[20, 30], [2, 3], [1, 3], [3, 3]]);
  });

  it('have a limit', () => {
    const points: Points = [[], [], [], []];
    for (let i = 1; i <= 7000; ++i) append(points, i * 1000, i, -Infinity);
    expect(points[0].length).toBe(6000);
    expect(points[1][0]).toBe(1001);
  });
});

describe('the books of a source', () => {
  const books: SourceBooks = {
    name: 's', label: { zh: '', en: '' }, protocol: 'mqtt', simulated: false, refusedBy: {}, lastReceivedAt: null, ratePerSecond: 0,
    received: 15, applied: 1, late: 2, duplicate: 3, quarantined: 4, refused: 5,
  };

  it('balance when every message has a fate', () => {
    expect(unaccounted(books)).toBe(0);
    expect(unaccounted({ ...books, received: 17 })).toBe(2);
    expect(unaccounted({ ...books, applied: 2 })).toBe(-1);
  });
});

describe('alerts', () => {
  it('are read from their entity, with sensible defaults', () => {
    const entity = makeEntity('x', 'Alert');
    merge(entity, { id: 'x', type: 'Alert', status: 'raised', rule: 'r', observedAt: '2026-05-01T08:00:00Z' });
    const alert = alertOf(entity);
    expect(alert).toMatchObject({ severity: 'medium', rule: 'r', place: null, department: '' });
    expect(alert.issued_ms).toBe(Date.parse('2026-05-01T08:00:00Z'));
  });

  it('allow the steps that the brain allows', () => {
    expect(allowedSteps('raised')).toEqual({ acknowledge: true, assign: true, close: true });
    expect(allowedSteps('acknowledged')).toEqual({ acknowledge: false, assign: true, close: true });
    expect(allowedSteps('cleared')).toEqual({ acknowledge: false, assign: false, close: true });
    expect(allowedSteps('closed')).toEqual({ acknowledge: false, assign: false, close: false });
  });

  it('pass the filter of their state', () => {
    expect(passes('assigned', 'open')).toBe(true);
    expect(passes('cleared', 'open')).toBe(false);
    expect(passes('closed', 'all')).toBe(true);
    expect(passes('raised', 'closed')).toBe(false);
  });

  it('are ordered newest first, always the same way', () => {
    const make = (id: string, second: number) => {
      const entity = makeEntity(id, 'Alert');
      merge(entity, { id, type: 'Alert', dateIssued: `2026-05-01T08:00:0${second}Z` });
      return alertOf(entity);
    };
    expect([make('b', 1), make('a', 1), make('c', 2)].sort(newestFirst).map((a) => a.id)).toEqual(['c', 'a', 'b']);
  });
});

describe('finding entities', () => {
  const entities = ['urn:b', 'urn:a', 'urn:c'].map((id) => makeEntity(id, 'Vehicle'));
  merge(entities[0]!, { id: 'urn:b', type: 'Vehicle', name: 'Bus Seven', location: { type: 'Point', coordinates: [1, 2] } });

  it('goes by id or name, without regard to case', () => {
    expect(find(entities, { words: 'SEVEN', only_unlocated: false }, 9).found.map((e) => e.id)).toEqual(['urn:b']);
    expect(find(entities, { words: ' urn: ', only_unlocated: false }, 2)).toMatchObject({ total: 3, found: [{ id: 'urn:a' }, { id: 'urn:b' }] });
  });

  it('can be limited to those without a location', () => {
    expect(find(entities, { words: '', only_unlocated: true }, 9).found.map((e) => e.id)).toEqual(['urn:a', 'urn:c']);
  });
});

describe('the map fits', () => {
  it('most points, not a stray one among many', () => {
    expect(boundsOfMost([])).toBeNull();
    expect(boundsOfMost([[1, 2], [3, 1]])).toEqual([1, 1, 3, 2]);
    const many = Array.from({ length: 200 }, (_, i): [number, number] => [119 + i / 1000, 26]);
    expect(boundsOfMost([...many, [0, 0]])?.[0]).toBeGreaterThan(118);
  });

  it('all corners of features', () => {
    const feature = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: 'Feature', properties: {}, geometry });
    expect(boundsOfFeatures([])).toBeNull();
    expect(
      boundsOfFeatures([
        feature({ type: 'LineString', coordinates: [[1, 2], [3, 4]] }),
        feature({ type: 'Polygon', coordinates: [[[-1, 0], [2, 0], [2, 9], [-1, 0]]] }),
      ]),
    ).toEqual([-1, 0, 3, 9]);
  });
});

describe('reconnecting', () => {
  it('waits longer with every failure, up to a limit', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 100].map((failures) => retryDelay(failures, 1));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(retryDelay(3, 0)).toBe(3000);
  });
});
