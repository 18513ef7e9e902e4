// Entities as dots: one GeoJSON source and one circle layer per type.
import type { GeoJSONSource, Map as MapLibreMap } from 'maplibre-gl';
import { hasLocation, type Entity } from '../entity.ts';
import type { Theme } from '../settings.ts';
import { typeColour } from './palette.ts';
import { kDotEdge, kDotRadius, kEntitiesBelow } from './style.ts';
import { kMapColours } from './palette.ts';

type Dot = GeoJSON.Feature<GeoJSON.Point, Record<string, never>> & { id: number };

interface TypeLayer {
  readonly type: string;
  readonly name: string; // of source and layer
  readonly dots: Dot[]; // a dot's id is its index
  readonly entities: Entity[]; // of the same index
  readonly index_of: Map<Entity, number>;
  is_dirty: boolean;
  is_hidden: boolean;
}

const kPrefix = 'entities-';

export class EntityLayers {
  private readonly layers = new Map<string, TypeLayer>();

  constructor(
    private readonly map: MapLibreMap,
    private readonly theme: () => Theme,
  ) {}

  clear(): void {
    for (const layer of this.layers.values()) {
      layer.dots.length = 0;
      layer.entities.length = 0;
      layer.index_of.clear();
      layer.is_dirty = true;
    }
  }

  // Colours follow the order in which the server lists the types.
  set_types(types: readonly string[], hidden: ReadonlySet<string>): void {
    types.forEach((type) => {
      const layer = this.layer(type);
      const is_hidden = hidden.has(type);
      if (is_hidden === layer.is_hidden) return;
      layer.is_hidden = is_hidden;
      this.map.setLayoutProperty(layer.name, 'visibility', is_hidden ? 'none' : 'visible');
    });
    this.paint(types);
  }

  paint(types: readonly string[]): void {
    types.forEach((type, i) => {
      const { name } = this.layer(type);
      this.map.setPaintProperty(name, 'circle-color', typeColour(i, this.theme()));
      this.map.setPaintProperty(name, 'circle-stroke-color', kMapColours[this.theme()].dot_edge);
    });
  }

  take(moved: ReadonlySet<Entity>): void {
    for (const entity of moved) {
      const layer = this.layer(entity.type);
      const index = layer.index_of.get(entity);
      if (!hasLocation(entity)) {
        if (index !== undefined) this.remove(layer, index);
        continue;
      }
      const coordinates = [entity.longitude, entity.latitude];
      const dot = index === undefined ? undefined : layer.dots[index];
      if (dot) {
        dot.geometry.coordinates = coordinates;
      } else {
        const id = layer.dots.length;
        layer.dots.push({ type: 'Feature', id, geometry: { type: 'Point', coordinates }, properties: {} });
        layer.entities.push(entity);
        layer.index_of.set(entity, id);
      }
      layer.is_dirty = true;
    }
  }

  // Hands what changed to the map. A source whose worker has not finished the last hand-over waits,
  // so that a slow machine shows fewer pictures instead of falling behind. Returns whether all is out.
  flush(): boolean {
    let is_done = true;
    for (const layer of this.layers.values()) {
      if (!layer.is_dirty || layer.is_hidden) continue;
      const source = this.map.getSource<GeoJSONSource>(layer.name);
      if (!source?.loaded()) {
        is_done = false;
        continue;
      }
      source.setData({ type: 'FeatureCollection', features: layer.dots });
      layer.is_dirty = false;
    }
    return is_done;
  }

  // The entity nearest to the middle of a box on the screen.
  at(point: { x: number; y: number }, reach_px: number): Entity | null {
    const layers = [...this.layers.values()].filter((l) => !l.is_hidden).map((l) => l.name);
    const found = this.map.queryRenderedFeatures(
      [
        [point.x - reach_px, point.y - reach_px],
        [point.x + reach_px, point.y + reach_px],
      ],
      { layers },
    );
    let nearest: Entity | null = null;
    let distance = Infinity;
    for (const feature of found) {
      const layer = this.layers.get(feature.layer.id.slice(kPrefix.length));
      const entity = typeof feature.id === 'number' ? layer?.entities[feature.id] : undefined;
      if (!entity || !hasLocation(entity)) continue;
      const at = this.map.project([entity.longitude, entity.latitude]);
      const away = (at.x - point.x) ** 2 + (at.y - point.y) ** 2;
      if (away < distance) {
        distance = away;
        nearest = entity;
      }
    }
    return nearest;
  }

  get count(): number {
    let count = 0;
    for (const layer of this.layers.values()) if (!layer.is_hidden) count += layer.dots.length;
    return count;
  }

  positions(): Record<string, [number, number]> {
    const all: Record<string, [number, number]> = {};
    for (const layer of this.layers.values()) {
      if (layer.is_hidden) continue;
      layer.dots.forEach((dot, i) => {
        const [longitude, latitude] = dot.geometry.coordinates;
        const entity = layer.entities[i];
        if (entity && longitude !== undefined && latitude !== undefined) all[entity.id] = [longitude, latitude];
      });
    }
    return all;
  }

  private layer(type: string): TypeLayer {
    const known = this.layers.get(type);
    if (known) return known;
    const layer: TypeLayer = {
      type,
      name: kPrefix + type,
      dots: [],
      entities: [],
      index_of: new Map(),
      is_dirty: false,
      is_hidden: false,
    };
    this.map.addSource(layer.name, {
      type: 'geojson',
      data: { type: 'FeatureCollection', features: [] },
      maxzoom: 14, // dots are exact to 0.3 m there; deeper tiles would only cost
      buffer: 32,
      tolerance: 0,
    });
    this.map.addLayer(
      {
        id: layer.name,
        type: 'circle',
        source: layer.name,
        paint: {
          'circle-radius': kDotRadius,
          'circle-stroke-width': kDotEdge,
          'circle-color': typeColour(this.layers.size, this.theme()),
          'circle-stroke-color': kMapColours[this.theme()].dot_edge,
        },
      },
      kEntitiesBelow,
    );
    this.layers.set(type, layer);
    return layer;
  }

  // The last dot takes the place of the removed one.
  private remove(layer: TypeLayer, index: number): void {
    const last = layer.dots.length - 1;
    const gone = layer.entities[index];
    const moved = layer.entities[last];
    const dot = layer.dots[last];
    if (!gone || !moved || !dot) return;
    layer.entities[index] = moved;
    layer.dots[index] = { ...dot, id: index };
    layer.index_of.set(moved, index);
    layer.index_of.delete(gone);
    layer.entities.pop();
    layer.dots.pop();
    layer.is_dirty = true;
  }
}
