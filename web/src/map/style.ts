// The map's layers: the base map as GeoJSON, zones, alerts and the selection. No glyphs, sprites or
// tiles: there is no internet. Entity layers come and go (entity_layers.ts), below kEntitiesBelow.
import type {
  DataDrivenPropertyValueSpecification as Driven,
  LayerSpecification,
  StyleSpecification,
} from 'maplibre-gl';
import type { Theme } from '../settings.ts';
import { kMapColours, kSeverityColours } from './palette.ts';

export const kEntitiesBelow = 'selected-ring';

const kEmpty: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

const kMajor = ['motorway', 'trunk', 'primary', 'secondary', 'main', 'major'];
// A street is of a kind of its own, or a `street` of a class.
const kStreetClass: Driven<string> = ['coalesce', ['get', 'class'], ['get', 'kind'], ''];
const kWater = ['water', 'river', 'canal', 'lake', 'stream'];
const kGreen = ['park', 'green', 'forest'];
const kRail = ['rail', 'railway', 'metro', 'subway'];

const width = (low: number, high: number): Driven<number> =>
  ['interpolate', ['exponential', 1.5], ['zoom'], 9, low, 18, high];

type Paint = readonly [layer: string, property: string, value: unknown];

// What depends on the theme; written again when it changes.
export function paints(theme: Theme): readonly Paint[] {
  const c = kMapColours[theme];
  const severities = Object.entries(kSeverityColours[theme]).flat();
  const severity = ['match', ['get', 'severity'], ...severities, kSeverityColours[theme]['medium']];
  return [
    ['ground', 'background-color', c.ground],
    [
      'areas',
      'fill-color',
      ['match', ['get', 'kind'], kWater, c.water_area, kGreen, c.green_area, c.building],
    ],
    [
      'lines',
      'line-color',
      [
        'match', ['get', 'kind'],
        kWater, c.water, 'coast', c.coast, kRail, c.rail,
        ['match', kStreetClass, kMajor, c.street_major, c.street],
      ],
    ],
    ['zones-area', 'fill-color', c.zone],
    ['zones-edge', 'line-color', c.zone],
    ['alerts-ring', 'circle-stroke-color', severity],
    ['alerts-ring', 'circle-color', severity],
    ['selected-ring', 'circle-stroke-color', c.halo],
    ['selected-ring', 'circle-color', c.halo],
  ];
}

const kLayers: LayerSpecification[] = [
  { id: 'ground', type: 'background' },
  { id: 'areas', type: 'fill', source: 'base', filter: ['in', ['geometry-type'], ['literal', ['Polygon', 'MultiPolygon']]] },
  {
    id: 'lines',
    type: 'line',
    source: 'base',
    filter: ['in', ['geometry-type'], ['literal', ['LineString', 'MultiLineString']]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-width': [
        'interpolate', ['exponential', 1.5], ['zoom'],
        9, ['match', kStreetClass, [...kMajor, ...kWater, 'coast'], 1.2, 0.5],
        18, ['match', kStreetClass, kMajor, 16, ['coast', ...kWater], 6, 8],
      ],
    },
  },
  { id: 'zones-area', type: 'fill', source: 'zones', paint: { 'fill-opacity': 0.1 } },
  {
    id: 'zones-edge',
    type: 'line',
    source: 'zones',
    paint: { 'line-width': width(1, 2), 'line-dasharray': [3, 2], 'line-opacity': 0.75 },
  },
  {
    id: 'selected-ring',
    type: 'circle',
    source: 'selected',
    paint: { 'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 9, 14, 13], 'circle-opacity': 0.12, 'circle-stroke-width': 2.5 },
  },
  {
    id: 'alerts-ring',
    type: 'circle',
    source: 'alerts',
    paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 5, 14, 10],
      'circle-opacity': 0.15,
      'circle-stroke-width': 2,
    },
  },
];

export function makeStyle(theme: Theme): StyleSpecification {
  const layers = structuredClone(kLayers);
  for (const [id, property, value] of paints(theme)) {
    const layer = layers.find((l) => l.id === id);
    if (layer) layer.paint = { ...layer.paint, [property]: value };
  }
  const source = { type: 'geojson', data: kEmpty } as const;
  return {
    version: 8,
    sources: {
      base: { ...source, tolerance: 0.5 },
      zones: source,
      selected: source,
      alerts: source,
    },
    layers,
  };
}

// How big an entity's dot is: few pixels over the whole city, so that 20 000 can be told apart.
export const kDotRadius: Driven<number> = ['interpolate', ['linear'], ['zoom'], 8, 2.2, 12, 3.6, 16, 7];
export const kDotEdge: Driven<number> = ['interpolate', ['linear'], ['zoom'], 11, 0, 13, 1];
