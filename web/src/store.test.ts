import { describe, expect, it } from 'vitest';
import { Store } from './store.ts';

const vehicle = (id: string, second: number, values: Record<string, unknown> = {}) => ({
  id,
  type: 'Vehicle',
  observedAt: new Date(1_700_000_000_000 + second * 1000).toISOString(),
  ...values,
});
const point = { type: 'Point', coordinates: [119, 26] };
const alert = (id: string, second: number, status: string) => ({ ...vehicle(id, second, { status, severity: 'high' }), type: 'Alert' });

describe('entities in the store', () => {
  it('come by load and by stream, and are counted by type', () => {
    const store = new Store();
    store.replace_entities([vehicle('a', 1, { location: point }), vehicle('b', 1)]);
    expect(store.update_entities([vehicle('c', 2)])).toBe(false);
    expect(store.by_type.get('Vehicle')?.length).toBe(3);
    expect([...store.moved].map((e) => e.id)).toEqual(['a']);
  });

  it('of an unknown type are told', () => {
    const store = new Store();
    expect(store.update_entities([{ ...vehicle('a', 1), type: 'Drone' }])).toBe(true);
    expect(store.update_entities([{ ...vehicle('b', 1), type: 'Drone' }])).toBe(false);
  });

  it('that the server no longer has are gone after a load; the selection survives by id', () => {
    const store = new Store();
    store.replace_entities([vehicle('a', 1), vehicle('b', 1)]);
    store.select('b');
    store.replace_entities([vehicle('b', 2)]);
    expect(store.entities.size).toBe(1);
    expect(store.selected).toBe(store.entities.get('b'));
    store.replace_entities([]);
    expect(store.selected).toBeNull();
  });

  it('tell the selected one apart', () => {
    const store = new Store();
    store.replace_entities([vehicle('a', 1), vehicle('b', 1, { location: point })]);
    let told = 0;
    store.on('selected', () => (told += 1));
    store.select('b');
    expect(store.is_following).toBe(true);
    store.update_entities([vehicle('a', 2, { speed: 1 })]);
    expect(told).toBe(0);
    store.update_entities([vehicle('b', 2, { speed: 1 })]);
    expect(told).toBe(1);
    store.select('a');
    expect(store.is_following).toBe(false);
  });
});

describe('alerts in the store', () => {
  it('are new when raised, and again when they come back', () => {
    const store = new Store();
    expect(store.update_alerts([alert('x', 1, 'raised')]).map((a) => a.id)).toEqual(['x']);
    expect(store.update_alerts([alert('x', 2, 'acknowledged')])).toEqual([]);
    expect(store.open_alert_count).toBe(1);
    expect(store.update_alerts([alert('x', 3, 'cleared')])).toEqual([]);
    expect(store.open_alert_count).toBe(0);
    expect(store.update_alerts([alert('x', 4, 'raised')]).length).toBe(1);
  });

  it('do not go back to an earlier state', () => {
    const store = new Store();
    store.update_alerts([alert('x', 5, 'closed')]);
    store.update_alerts([alert('x', 3, 'raised')]);
    expect(store.alert('x')?.status).toBe('closed');
  });

  it('that were not loaded still count as open', () => {
    const store = new Store();
    store.replace_alerts([alert('x', 1, 'raised')], 7);
    expect(store.open_alert_count).toBe(8);
  });
});

describe('simulated data', () => {
  it('is said by the greeting or by any source', () => {
    const store = new Store();
    expect(store.is_simulated).toBe(false);
    store.hello_simulated = true;
    expect(store.is_simulated).toBe(true);
  });
});
