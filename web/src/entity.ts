// One entity as the page knows it, and how observations change it.
import type { KeyValues, NormalizedEntity } from './api.ts';

export interface Entity {
  readonly id: string;
  readonly type: string;
  readonly values: Record<string, unknown>;
  // When each value was observed, in ms. Missing for values of the first load, which gives only the
  // entity's newest time.
  readonly times: Record<string, number>;
  newest_ms: number; // 0: unknown
  longitude: number; // NaN: no location
  latitude: number;
}

export function makeEntity(id: string, type: string): Entity {
  return { id, type, values: {}, times: {}, newest_ms: 0, longitude: NaN, latitude: NaN };
}

export function hasLocation(entity: Entity): boolean {
  return !Number.isNaN(entity.longitude);
}

export function timeOf(iso: unknown): number {
  const ms = typeof iso === 'string' ? Date.parse(iso) : NaN;
  return Number.isNaN(ms) ? 0 : ms;
}

// Where a geometry is: a point itself, the middle of the bounding box of anything else.
export function placeOf(geometry: unknown): [number, number] | null {
  if (typeof geometry !== 'object' || geometry === null) return null;
  const given = (geometry as { coordinates?: unknown }).coordinates;
  if (!Array.isArray(given)) return null;
  let west = Infinity;
  let south = Infinity;
  let east = -Infinity;
  let north = -Infinity;
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [x, y] = part as unknown[];
    if (typeof x === 'number' && typeof y === 'number') {
      west = Math.min(west, x);
      east = Math.max(east, x);
      south = Math.min(south, y);
      north = Math.max(north, y);
    } else {
      part.forEach(visit);
    }
  };
  visit(given);
  if (!Number.isFinite(west + south + east + north)) return null;
  if (Math.abs(north) > 90 || Math.abs(south) > 90) return null;
  return [(west + east) / 2, (south + north) / 2];
}

function isGeometry(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'coordinates' in value;
}

function place(entity: Entity, name: string, value: unknown): boolean {
  if (name !== 'location' && ('location' in entity.values || !isGeometry(value))) return false;
  const found = placeOf(value);
  const longitude = found ? found[0] : NaN;
  const latitude = found ? found[1] : NaN;
  if (Object.is(longitude, entity.longitude) && Object.is(latitude, entity.latitude)) return false;
  entity.longitude = longitude;
  entity.latitude = latitude;
  return true;
}

export interface Merged {
  changed: boolean;
  moved: boolean;
}

// Takes over what a row tells, value by value: a value is not replaced by one that was observed
// earlier. `is_row` false: a whole entity of the first load, whose time is that of its newest value.
export function merge(entity: Entity, row: KeyValues, is_row = true): Merged {
  const at = timeOf(row.observedAt);
  let changed = false;
  let moved = false;
  for (const name in row) {
    if (name === 'id' || name === 'type' || name === 'observedAt') continue;
    const known = entity.times[name];
    if (known !== undefined && at < known) continue;
    const value = row[name];
    if (is_row) entity.times[name] = at;
    entity.values[name] = value;
    changed = true;
    if (place(entity, name, value)) moved = true;
  }
  if (at > entity.newest_ms) entity.newest_ms = at;
  return { changed, moved };
}

// The normalized form tells when each value was observed.
export function mergeNormalized(entity: Entity, given: NormalizedEntity): Merged {
  const all: Merged = { changed: false, moved: false };
  for (const [name, attribute] of Object.entries(given)) {
    if (typeof attribute === 'string') continue;
    let value = attribute.type === 'Relationship' ? attribute.object : attribute.value;
    if (typeof value === 'object' && value !== null && '@value' in value) value = value['@value'];
    const row: KeyValues = { id: given.id, type: given.type, [name]: value };
    if (attribute.observedAt !== undefined) row.observedAt = attribute.observedAt;
    const merged = merge(entity, row);
    all.changed ||= merged.changed;
    all.moved ||= merged.moved;
  }
  return all;
}

// What to call it: its name where it has one.
export function nameOf(entity: Entity): string {
  const name = entity.values['name'];
  return typeof name === 'string' ? name : '';
}
