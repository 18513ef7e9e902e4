// Everything the page knows. Panels read it and listen to topics; main.ts writes what the server says.
import { alertOf, isOpen, type Alert } from './alert.ts';
import type { AttributeInfo, Department, KeyValues, SourceBooks, TypeInfo } from './api.ts';
import { hasLocation, makeEntity, merge, type Entity, type Merged } from './entity.ts';

export type Topic =
  | 'connection' // connection, clock
  | 'types' // which types there are
  | 'entities' // entities came or changed
  | 'selection' // which entity is selected
  | 'selected' // the selected entity's values changed
  | 'alerts'
  | 'sources'
  | 'departments'
  | 'layers' // what the map shows
  | 'simulated'
  | 'loaded' // everything has been loaded anew
  | 'language'
  | 'theme'
  | 'operator';

export type Connection =
  | { state: 'connecting' }
  | { state: 'loading' }
  | { state: 'live' }
  | { state: 'waiting'; until_ms: number };

export const kAlertType = 'Alert';

export class Store {
  connection: Connection = { state: 'connecting' };
  types: TypeInfo[] = [];
  sources: SourceBooks[] = [];
  departments: Department[] = [];
  zones: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
  base_map: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
  readonly entities = new Map<string, Entity>();
  readonly by_type = new Map<string, Entity[]>();
  readonly hidden_layers = new Set<string>();
  selected: Entity | null = null;
  is_following = false;
  hello_simulated = false;
  // Open alerts that the server has beyond those loaded.
  open_alerts_left_out = 0;

  // Entities whose place on the map changed, until the map takes them.
  moved = new Set<Entity>();

  private readonly alert_entities = new Map<string, Entity>();
  private readonly alert_views = new Map<string, Alert>();
  private readonly listeners = new Map<Topic, Set<() => void>>();
  private clock_ahead_ms = 0;

  on(topics: Topic | readonly Topic[], listener: () => void): void {
    for (const topic of typeof topics === 'string' ? [topics] : topics) {
      let set = this.listeners.get(topic);
      if (!set) this.listeners.set(topic, (set = new Set()));
      set.add(listener);
    }
  }

  emit(topic: Topic): void {
    this.listeners.get(topic)?.forEach((listener) => listener());
  }

  // The server's clock: ages must not depend on the screen's own.
  now(): number {
    return Date.now() + this.clock_ahead_ms;
  }

  set_server_time(ms: number): void {
    if (ms > 0) this.clock_ahead_ms = ms - Date.now();
  }

  get is_simulated(): boolean {
    return this.hello_simulated || this.sources.some((source) => source.simulated);
  }

  type_info(name: string): TypeInfo | undefined {
    return this.types.find((type) => type.name === name);
  }

  attribute_info(type: string, name: string): AttributeInfo | undefined {
    return this.type_info(type)?.attributes.find((attribute) => attribute.name === name);
  }

  // --- entities

  // A load replaces what is there: what the server no longer knows goes.
  replace_entities(given: readonly KeyValues[]): void {
    const before = this.selected?.id;
    this.entities.clear();
    this.by_type.clear();
    this.moved.clear();
    for (const row of given) this.apply(row, false);
    this.selected = before === undefined ? null : (this.entities.get(before) ?? null);
    this.emit('entities');
    this.emit('selection');
  }

  // Rows of the live stream. Returns whether one is of a type that is not known yet.
  update_entities(rows: readonly KeyValues[]): boolean {
    let is_selected = false;
    let is_unknown = false;
    for (const row of rows) {
      if (row.type === kAlertType) continue;
      if (!this.by_type.has(row.type) && !this.type_info(row.type)) is_unknown = true;
      const merged = this.apply(row, true);
      if (merged.changed && row.id === this.selected?.id) is_selected = true;
    }
    this.emit('entities');
    if (is_selected) this.emit('selected');
    return is_unknown;
  }

  private apply(row: KeyValues, is_row: boolean): Merged {
    let entity = this.entities.get(row.id);
    if (!entity) {
      entity = makeEntity(row.id, row.type);
      this.entities.set(row.id, entity);
      const same = this.by_type.get(row.type);
      if (same) same.push(entity);
      else this.by_type.set(row.type, [entity]);
    }
    const merged = merge(entity, row, is_row);
    if (merged.moved) this.moved.add(entity);
    return merged;
  }

  select(id: string | null): void {
    const entity = id === null ? null : (this.entities.get(id) ?? null);
    if (entity === this.selected) return;
    this.selected = entity;
    this.is_following = entity !== null && hasLocation(entity);
    this.emit('selection');
  }

  set_following(is_following: boolean): void {
    if (this.is_following === is_following) return;
    this.is_following = is_following;
    this.emit('layers');
  }

  toggle_layer(name: string): void {
    if (!this.hidden_layers.delete(name)) this.hidden_layers.add(name);
    this.emit('layers');
  }

  // --- alerts

  // The open alerts of a load replace all that is there.
  replace_alerts(given: readonly KeyValues[], open_left_out: number): void {
    this.alert_entities.clear();
    this.alert_views.clear();
    this.open_alerts_left_out = open_left_out;
    this.update_alerts(given, false);
  }

  // Returns the alerts that were not known or have become open again.
  update_alerts(rows: readonly KeyValues[], is_row = true): Alert[] {
    const raised: Alert[] = [];
    for (const row of rows) {
      let entity = this.alert_entities.get(row.id);
      if (!entity) this.alert_entities.set(row.id, (entity = makeEntity(row.id, kAlertType)));
      const before = this.alert_views.get(row.id);
      merge(entity, row, is_row);
      const alert = alertOf(entity);
      this.alert_views.set(row.id, alert);
      if (isOpen(alert.status) && (before === undefined || !isOpen(before.status))) raised.push(alert);
    }
    this.emit('alerts');
    return raised;
  }

  alert(id: string): Alert | undefined {
    return this.alert_views.get(id);
  }

  get alerts(): IterableIterator<Alert> {
    return this.alert_views.values();
  }

  get open_alert_count(): number {
    let count = this.open_alerts_left_out;
    for (const alert of this.alert_views.values()) if (isOpen(alert.status)) count += 1;
    return count;
  }
}
