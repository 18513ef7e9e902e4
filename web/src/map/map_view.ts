// The live map.
import type { GeoJSONSource, Map as MapLibreMap } from 'maplibre-gl';
import { isOpen } from '../alert.ts';
import { el, iconButton, nameButton, setAttribute, throttled } from '../dom.ts';
import { hasLocation, nameOf } from '../entity.ts';
import { shortId } from '../format.ts';
import { text } from '../i18n.ts';
import type { Theme } from '../settings.ts';
import { kAlertType, type Store } from '../store.ts';
import { boundsOfFeatures, boundsOfMost, widen, type Bounds } from './bounds.ts';
import { EntityLayers } from './entity_layers.ts';
import { maplibre } from './maplibre.ts';
import { makeStyle, paints } from './style.ts';
import { ZoneNames } from './zone_names.ts';

const kUpdateInterval_ms = 400;
// Handing dots to the map may take this part of the time, so that a slow machine stays usable.
const kUpdateShare = 0.1;
const kReach_px = 7;

export interface MapEvents {
  on_pick(entity_id: string | null): void;
  on_pick_alert(alert_id: string): void;
}

export class MapView {
  readonly element: HTMLElement;
  private readonly canvas_box = el('div', { class: 'map-canvas', 'data-testid': 'map', role: 'application' });
  private readonly tip = el('div', { class: 'map-tip', hidden: true });
  private readonly attribution = el('span');
  private readonly zoom_in = iconButton('plus', '', () => this.map?.zoomIn());
  private readonly zoom_out = iconButton('minus', '', () => this.map?.zoomOut());
  private readonly fit_button = iconButton('fit', '', () => this.fit(true));
  private readonly follow = iconButton('follow', '', () => this.store.set_following(!this.store.is_following));
  private readonly licences = el('a', { href: '/licences.html', target: '_blank', rel: 'noopener' });
  private map: MapLibreMap | null = null;
  private layers: EntityLayers | null = null;
  private zone_names: ZoneNames | null = null;
  private ring: [number, number] | null = null; // where the selection's ring is
  private is_fitted = false;
  private draw_ms = 0; // how long the last drawing took
  private readonly update = throttled(
    () => this.draw(),
    () => Math.max(kUpdateInterval_ms, this.draw_ms / kUpdateShare),
  );

  constructor(
    private readonly store: Store,
    private readonly theme: () => Theme,
    private readonly events: MapEvents,
  ) {
    const tools = el('div', { class: 'map-tools' }, this.zoom_in, this.zoom_out, this.fit_button, this.follow);
    const foot = el('div', { class: 'map-foot' }, this.attribution, this.licences);
    this.element = el('section', { class: 'map-panel' }, this.canvas_box, tools, foot, this.tip);
    this.write();
    store.on('language', () => this.write());
  }

  get count(): number {
    return this.layers?.count ?? 0;
  }

  positions(): Record<string, [number, number]> {
    return this.layers?.positions() ?? {};
  }

  fly_to(longitude: number, latitude: number): void {
    if (!this.map) return;
    const zoom = Math.max(this.map.getZoom(), 14);
    this.map.flyTo({ center: [longitude, latitude], zoom, duration: 900 });
  }

  // To be called once the element is on the page: the map takes its size from it.
  open(): void {
    let map: MapLibreMap;
    try {
      map = new maplibre.Map({
        container: this.canvas_box,
        style: makeStyle(this.theme()),
        center: [104, 34],
        zoom: 3.2,
        maxZoom: 19,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        fadeDuration: 0,
      });
    } catch {
      this.canvas_box.append(el('p', { class: 'map-failed' }, text('map_failed')));
      return;
    }
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new maplibre.ScaleControl({ maxWidth: 110 }), 'bottom-left');
    map.once('load', () => this.start(map));
    this.map = map;
  }

  private start(map: MapLibreMap): void {
    this.layers = new EntityLayers(map, this.theme);
    this.zone_names = new ZoneNames(map);
    const { store } = this;
    store.on('loaded', () => {
      this.layers?.clear();
      store.moved = new Set(store.entities.values());
      this.write_places();
      this.fit(false);
    });
    store.on(['types', 'layers'], () => this.write_layers());
    store.on(['entities', 'selection', 'layers', 'loaded'], this.update);
    store.on(['alerts', 'theme'], throttled(() => this.write_alerts(), kUpdateInterval_ms));
    store.on('theme', () => this.write_theme());
    store.on('language', () => this.zone_names?.write());
    this.write_layers();
    this.write_places();
    this.write_alerts();
    store.moved = new Set(store.entities.values());
    this.fit(false);
    this.update();
    this.listen(map);
  }

  private listen(map: MapLibreMap): void {
    map.on('dragstart', () => this.store.set_following(false));
    map.on('click', (event) => {
      const alert = map.queryRenderedFeatures(event.point, { layers: ['alerts-ring'] })[0];
      const entity = this.layers?.at(event.point, kReach_px) ?? null;
      const alert_id: unknown = alert?.properties['id'];
      if (entity === null && typeof alert_id === 'string') this.events.on_pick_alert(alert_id);
      else this.events.on_pick(entity?.id ?? null);
    });
    let pointer: { x: number; y: number } | null = null;
    const hover = throttled(() => {
      const entity = pointer && !map.isMoving() ? (this.layers?.at(pointer, 4) ?? null) : null;
      map.getCanvas().style.cursor = entity ? 'pointer' : '';
      this.tip.hidden = entity === null;
      if (!entity || !pointer) return;
      this.tip.textContent = nameOf(entity) || shortId(entity.id, entity.type);
      this.tip.style.transform = `translate(${Math.round(pointer.x + 12)}px, ${Math.round(pointer.y + 12)}px)`;
    }, 80);
    map.on('mousemove', (event) => {
      pointer = event.point;
      hover();
    });
    map.on('mouseout', () => {
      pointer = null;
      hover();
    });
  }

  private draw(): void {
    const { map, layers, store } = this;
    if (!map || !layers) return;
    const start = performance.now();
    layers.take(store.moved);
    store.moved.clear();
    if (!layers.flush()) this.update();
    this.draw_ms = performance.now() - start;
    this.fit(false);
    const { selected } = store;
    const is_placed = selected !== null && hasLocation(selected) && !store.hidden_layers.has(selected.type);
    const place: [number, number] | null = is_placed ? [selected.longitude, selected.latitude] : null;
    if (place?.join() !== this.ring?.join()) {
      this.ring = place;
      this.put('selected', place ? [{ type: 'Feature', geometry: { type: 'Point', coordinates: place }, properties: {} }] : []);
      // Not while the operator or a flight moves the map: following takes over afterwards.
      if (place && store.is_following && !map.isZooming()) {
        map.easeTo({ center: place, duration: 350, easing: (t) => t });
      }
    }
    setAttribute(this.follow, 'aria-pressed', String(store.is_following));
    this.follow.hidden = !is_placed;
  }

  private put(source: string, features: GeoJSON.Feature[]): void {
    this.map?.getSource<GeoJSONSource>(source)?.setData({ type: 'FeatureCollection', features });
  }

  private type_names(): string[] {
    return this.store.types.map((type) => type.name).filter((name) => name !== kAlertType);
  }

  private write_layers(): void {
    const { map, layers, store } = this;
    if (!map || !layers) return;
    layers.set_types(this.type_names(), store.hidden_layers);
    const show = (layer: string, name: string) =>
      map.setLayoutProperty(layer, 'visibility', store.hidden_layers.has(name) ? 'none' : 'visible');
    show('zones-area', 'zones');
    show('zones-edge', 'zones');
    show('alerts-ring', 'alerts');
    this.zone_names?.hide(store.hidden_layers.has('zones'));
  }

  private write_places(): void {
    const { base_map, zones } = this.store;
    this.put('base', base_map.features);
    this.put('zones', zones.features);
    this.zone_names?.set(zones.features);
    const source: unknown = (base_map as { attribution?: unknown }).attribution;
    this.attribution.textContent = typeof source === 'string' ? source : '';
  }

  private write_alerts(): void {
    const features: GeoJSON.Feature[] = [];
    for (const { id, status, severity, place } of this.store.alerts) {
      if (!place || !isOpen(status)) continue;
      features.push({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: [...place] },
        properties: { id, severity },
      });
    }
    this.put('alerts', features);
  }

  private write_theme(): void {
    for (const [layer, property, value] of paints(this.theme())) {
      this.map?.setPaintProperty(layer, property, value);
    }
    this.layers?.paint(this.type_names());
  }

  private write(): void {
    setAttribute(this.canvas_box, 'aria-label', text('map'));
    nameButton(this.zoom_in, text('zoom_in'));
    nameButton(this.zoom_out, text('zoom_out'));
    nameButton(this.fit_button, text('fit'));
    nameButton(this.follow, text('entity_follow'));
    this.licences.textContent = text('licences');
  }

  // Once by itself, as soon as there is anything to see; then only when asked to.
  private fit(is_asked: boolean): void {
    if (!this.map || (this.is_fitted && !is_asked)) return;
    const bounds = this.bounds();
    if (!bounds) return;
    this.is_fitted = true;
    if (is_asked) this.store.set_following(false);
    this.map.fitBounds(bounds, { padding: 40, maxZoom: 16, duration: is_asked ? 600 : 0 });
  }

  private bounds(): Bounds | null {
    const { store } = this;
    const points: [number, number][] = [];
    for (const entity of store.entities.values()) {
      if (hasLocation(entity)) points.push([entity.longitude, entity.latitude]);
    }
    let bounds = boundsOfMost(points);
    const zones = boundsOfFeatures(store.zones.features);
    if (zones) bounds = widen(widen(bounds, zones[0], zones[1]), zones[2], zones[3]);
    return bounds ?? boundsOfFeatures(store.base_map.features);
  }
}
