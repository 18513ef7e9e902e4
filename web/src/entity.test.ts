import { describe, expect, it } from 'vitest';
import { hasLocation, makeEntity, merge, mergeNormalized, nameOf, placeOf } from './entity.ts';

const at = (second: number) => `2026-05-01T08:00:${String(second).padStart(2, '0')}Z`;
const ms = (second: number) => Date.parse(at(second));
const row = (second: number, values: Record<string, unknown>) => ({ id: 'v', type: 'Vehicle', observedAt: at(second), ...values });
const point = (x: number, y: number) => ({ type: 'Point', coordinates: [x, y] });

describe('merging rows into an entity', () => {
  it('adds what a row tells and keeps the rest', () => {
    const entity = makeEntity('v', 'Vehicle');
    expect(merge(entity, row(1, { speed: 3, location: point(119, 26) }))).toEqual({ changed: true, moved: true });
    expect(merge(entity, row(2, { speed: 4 }))).toEqual({ changed: true, moved: false });
    expect(entity.values).toEqual({ speed: 4, location: point(119, 26) });
    expect(entity.times).toEqual({ speed: ms(2), location: ms(1) });
    expect(entity.newest_ms).toBe(ms(2));
    expect([entity.longitude, entity.latitude]).toEqual([119, 26]);
  });

  it('never replaces a value by an earlier one, each value for itself', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, row(5, { speed: 5 }));
    expect(merge(entity, row(3, { speed: 3, heading: 90 })).changed).toBe(true);
    expect(entity.values).toEqual({ speed: 5, heading: 90 });
    expect(merge(entity, row(4, { speed: 4 })).changed).toBe(false);
    expect(entity.newest_ms).toBe(ms(5));
  });

  it('lets the last of two at the same time win', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, row(5, { speed: 5 }));
    merge(entity, row(5, { speed: 6 }));
    expect(entity.values['speed']).toBe(6);
  });

  it('does not take the time of a whole entity for that of each value', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, row(9, { speed: 5, name: 'K1' }), false);
    expect(entity.times).toEqual({});
    expect(entity.newest_ms).toBe(ms(9));
    expect(merge(entity, row(8, { speed: 6 })).changed).toBe(true);
    expect(nameOf(entity)).toBe('K1');
  });

  it('tells a move only where the place is another', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, row(1, { location: point(119, 26) }));
    expect(merge(entity, row(2, { location: point(119, 26) })).moved).toBe(false);
    expect(merge(entity, row(3, { location: point(119.1, 26) })).moved).toBe(true);
    expect(merge(entity, row(4, { location: null })).moved).toBe(true);
    expect(hasLocation(entity)).toBe(false);
  });

  it('prefers `location` over other geometry', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, row(1, { position: point(1, 2) }));
    expect(entity.longitude).toBe(1);
    merge(entity, row(2, { location: point(119, 26) }));
    merge(entity, row(3, { position: point(3, 4) }));
    expect(entity.longitude).toBe(119);
  });

  it('takes a row without a time, but not over one that has a time', () => {
    const entity = makeEntity('v', 'Vehicle');
    merge(entity, { id: 'v', type: 'Vehicle', speed: 1 });
    expect(entity.values['speed']).toBe(1);
    merge(entity, row(1, { speed: 2 }));
    merge(entity, { id: 'v', type: 'Vehicle', speed: 3 });
    expect(entity.values['speed']).toBe(2);
  });

  it('reads values and their times from the normalized form', () => {
    const entity = makeEntity('v', 'Vehicle');
    mergeNormalized(entity, {
      id: 'v',
      type: 'Vehicle',
      speed: { type: 'Property', value: 3, observedAt: at(2), unitCode: 'KMH' },
      line: { type: 'Relationship', object: 'urn:ngsi-ld:Line:1', observedAt: at(1) },
      since: { type: 'Property', value: { '@type': 'DateTime', '@value': at(0) }, observedAt: at(1) },
      location: { type: 'GeoProperty', value: point(119, 26), observedAt: at(2) },
    });
    expect(entity.values).toEqual({ speed: 3, line: 'urn:ngsi-ld:Line:1', since: at(0), location: point(119, 26) });
    expect(entity.times['line']).toBe(ms(1));
    expect(entity.latitude).toBe(26);
  });
});

describe('the place of a geometry', () => {
  it('is the point, or the middle of the box', () => {
    expect(placeOf(point(119, 26))).toEqual([119, 26]);
    expect(placeOf({ type: 'LineString', coordinates: [[0, 0], [4, 2]] })).toEqual([2, 1]);
    expect(placeOf({ type: 'Polygon', coordinates: [[[0, 0], [2, 0], [2, 2], [0, 0]]] })).toEqual([1, 1]);
  });

  it('is none for anything else', () => {
    for (const odd of [null, 1, 'x', {}, { coordinates: 'x' }, { coordinates: [] }, { coordinates: [1] }, { coordinates: ['1', '2'] }, point(NaN, 1), point(1, 91)]) {
      expect(placeOf(odd)).toBeNull();
    }
  });
});
