// Names of zones as HTML over the map, since there are no glyphs. A name is hidden while its zone is
// too small on the screen to carry it.
import type { Map as MapLibreMap, Marker } from 'maplibre-gl';
import { el, setText } from '../dom.ts';
import { label } from '../i18n.ts';
import { boundsOfFeatures, type Bounds } from './bounds.ts';
import { maplibre } from './maplibre.ts';

const kWidthMin_px = 56;

interface ZoneName {
  readonly marker: Marker;
  readonly element: HTMLElement;
  readonly bounds: Bounds;
  readonly properties: Record<string, unknown>;
}

export class ZoneNames {
  private names: ZoneName[] = [];
  private is_hidden = false;

  constructor(private readonly map: MapLibreMap) {
    map.on('zoomend', () => this.choose());
  }

  set(zones: readonly GeoJSON.Feature[]): void {
    this.names.forEach((name) => name.marker.remove());
    this.names = [];
    for (const zone of zones) {
      const bounds = boundsOfFeatures([zone]);
      if (!bounds) continue;
      const element = el('div', { class: 'zone-name' });
      const marker = new maplibre.Marker({ element, anchor: 'center' })
        .setLngLat([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
        .addTo(this.map);
      this.names.push({ marker, element, bounds, properties: zone.properties ?? {} });
    }
    this.write();
    this.choose();
  }

  write(): void {
    for (const { element, properties } of this.names) {
      const words = (name: string) => {
        const value = properties[name];
        return typeof value === 'string' ? value : '';
      };
      setText(element, label({ zh: words('label_zh'), en: words('label_en') }, words('name')));
    }
  }

  hide(is_hidden: boolean): void {
    this.is_hidden = is_hidden;
    this.choose();
  }

  private choose(): void {
    for (const { element, bounds } of this.names) {
      const west = this.map.project([bounds[0], bounds[1]]).x;
      const east = this.map.project([bounds[2], bounds[1]]).x;
      element.hidden = this.is_hidden || east - west < kWidthMin_px;
    }
  }
}
