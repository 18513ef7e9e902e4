// What the map shows: a switch and a count per type.
import { arrange, el, iconButton, nameButton, setText, throttled } from '../dom.ts';
import * as format from '../format.ts';
import { label, text } from '../i18n.ts';
import { typeColour } from '../map/palette.ts';
import { settings } from '../settings.ts';
import { kAlertType, type Store } from '../store.ts';
import { makePanel, Rows } from './panel.ts';

interface LayerRow {
  element: HTMLElement;
  box: HTMLInputElement;
  swatch: HTMLElement;
  name: HTMLElement;
  count: HTMLElement;
  list: HTMLButtonElement;
}

const kPlaces = ['zones', 'alerts'] as const;

export function makeLayersPanel(store: Store, on_list: (type: string) => void): HTMLElement {
  const panel = makePanel('layers');
  const list = el('ul', { class: 'rows' });
  panel.body.append(list);

  const rows = new Rows<LayerRow>((key) => {
    const box = el('input', { type: 'checkbox', onchange: () => store.toggle_layer(key) });
    const swatch = el('span', { class: 'swatch' });
    const name = el('span', { class: 'grow' });
    const count = el('span', { class: 'number' });
    const show_list = iconButton('list', '', () => on_list(key));
    const row = el('label', { class: 'grow' }, box, swatch, name, count);
    return { element: el('li', { class: 'layer-row', 'data-layer': key }, row, show_list), box, swatch, name, count, list: show_list };
  });

  const write = () => {
    setText(panel.title, text('layers'));
    const colours = store.types.filter((type) => type.name !== kAlertType);
    // Types that are declared but that nothing is of would only be in the way.
    const types = colours.filter((type) => store.by_type.has(type.name));
    const made = rows.take([...types.map((type) => type.name), ...kPlaces]);
    arrange(list, made.map((row) => row.element));
    types.forEach((type) => {
      const row = rows.get(type.name);
      if (!row) return;
      const name = label(type.label, type.name);
      row.box.checked = !store.hidden_layers.has(type.name);
      row.swatch.style.background = typeColour(colours.indexOf(type), settings.theme);
      setText(row.name, name);
      setText(row.count, format.count(store.by_type.get(type.name)?.length ?? 0));
      nameButton(row.box, text('layer_show', { name }));
      nameButton(row.list, text('layer_objects', { name }));
    });
    for (const place of kPlaces) {
      const row = rows.get(place);
      if (!row) continue;
      const name = text(place === 'zones' ? 'layer_zones' : 'layer_alerts');
      row.box.checked = !store.hidden_layers.has(place);
      row.list.hidden = true;
      row.swatch.classList.add(place);
      setText(row.name, name);
      setText(row.count, format.count(place === 'zones' ? store.zones.features.length : store.open_alert_count));
      nameButton(row.box, text('layer_show', { name }));
    }
  };
  write();
  store.on(['types', 'layers', 'language', 'theme', 'loaded'], write);
  store.on(['entities', 'alerts'], throttled(write, 1000));
  return panel.element;
}
