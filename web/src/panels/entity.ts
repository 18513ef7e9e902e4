// One entity: all its values with unit and age, and the history of its numbers.
import { isOpen } from '../alert.ts';
import { api, describeError, type AttributeInfo } from '../api.ts';
import { arrange, el, iconButton, nameButton, setAttribute, setText, throttled } from '../dom.ts';
import { hasLocation, mergeNormalized, nameOf, type Entity } from '../entity.ts';
import * as format from '../format.ts';
import { label, text, word } from '../i18n.ts';
import type { Store } from '../store.ts';
import { Chart, kRanges, type Range } from './chart.ts';
import { Rows } from './panel.ts';
import { toast } from './toasts.ts';

export interface EntityEvents {
  on_pick(id: string): void;
  on_locate(entity: Entity): void;
}

interface ValueRow {
  element: HTMLElement;
  name: HTMLElement;
  value: HTMLElement;
  age: HTMLElement;
}

export function makeEntityPanel(store: Store, events: EntityEvents): HTMLElement {
  const type = el('span', { class: 'tag' });
  const title = el('h2', { class: 'ellipsis', id: 'entity-title' });
  const id = el('code', { class: 'ellipsis grow' });
  const alerts = el('span', { class: 'tag alert-tag' });
  const locate = iconButton('target', '', () => store.selected && events.on_locate(store.selected));
  const close = iconButton('cross', '', () => store.select(null), { 'data-testid': 'entity-close' });
  const table_heads = { attribute: el('th', { scope: 'col' }), value: el('th', { scope: 'col' }), age: el('th', { scope: 'col' }) };
  const values = el('tbody');
  const table = el(
    'table',
    { class: 'values' },
    el('thead', {}, el('tr', {}, table_heads.attribute, table_heads.value, table_heads.age)),
    values,
  );
  const attribute = el('select', { name: 'attribute' });
  const ranges = el('div', { class: 'segments', role: 'group' });
  const chart = new Chart(() => store.now());
  const element = el(
    'section',
    { class: 'entity', 'data-testid': 'entity-panel', 'aria-labelledby': 'entity-title', hidden: true },
    el('div', { class: 'panel-head' }, type, title, id, alerts, locate, close),
    el(
      'div',
      { class: 'entity-body' },
      el('div', { class: 'values-box', tabindex: 0, role: 'region', 'aria-labelledby': 'entity-title' }, table),
      el('div', { class: 'chart-side' }, el('div', { class: 'chart-tools' }, attribute, ranges), chart.element),
    ),
  );

  let range: Range = '1h';
  const range_buttons = (Object.keys(kRanges) as Range[]).map((name) => {
    const button = el('button', {
      type: 'button',
      'data-range': name,
      onclick: () => {
        range = name;
        writeControls();
        showChart();
      },
    });
    ranges.append(button);
    return { name, button };
  });

  const rows = new Rows<ValueRow>(() => {
    const name = el('th', { scope: 'row' });
    const value = el('td', { class: 'value' });
    const age = el('td', { class: 'age' });
    return { element: el('tr', {}, name, value, age), name, value, age };
  });

  const info = (entity: Entity, name: string): AttributeInfo | undefined => store.attribute_info(entity.type, name);
  const nameFor = (entity: Entity, name: string) => label(info(entity, name)?.label, name);

  const numeric = (entity: Entity) => orderedNames(store, entity).filter((name) => typeof entity.values[name] === 'number');

  const writeValues = () => {
    const entity = store.selected;
    if (!entity) return;
    const names = orderedNames(store, entity);
    const made = rows.take(names);
    made.forEach((row, i) => {
      const name = names[i] ?? '';
      const given = entity.values[name];
      setText(row.name, nameFor(entity, name));
      setAttribute(row.name, 'title', name);
      writeValue(row.value, given, info(entity, name));
      const at = entity.times[name];
      setText(row.age, at === undefined || at === 0 ? '' : format.age(Math.max(0, store.now() - at)));
      setAttribute(row.age, 'title', at ? format.dateTime(at) : null);
    });
    arrange(values, made.map((row) => row.element));
  };
  // A value that names another entity leads there.
  const writeValue = (cell: HTMLElement, given: unknown, how: AttributeInfo | undefined) => {
    const shown = format.value(given, how);
    if (cell.textContent === shown) return;
    if (how?.kind === 'relationship' && typeof given === 'string' && store.entities.has(given)) {
      cell.replaceChildren(el('button', { type: 'button', class: 'link', onclick: () => events.on_pick(given) }, shown));
    } else {
      cell.replaceChildren(shown);
    }
  };
  const writeAlerts = () => {
    const entity = store.selected;
    if (!entity) return;
    let count = 0;
    for (const alert of store.alerts) if (alert.source_id === entity.id && isOpen(alert.status)) count += 1;
    alerts.hidden = count === 0;
    setText(alerts, text('entity_alerts', { n: count }));
  };
  const writeControls = () => {
    for (const { name, button } of range_buttons) {
      setText(button, word('range', name));
      setAttribute(button, 'aria-pressed', String(name === range));
    }
    const entity = store.selected;
    const names = entity ? numeric(entity) : [];
    const before = attribute.value;
    const is_same = [...attribute.options].map((o) => o.value).join() === names.join();
    attribute.replaceChildren(...names.map((name) => el('option', { value: name }, entity ? nameFor(entity, name) : name)));
    if (names.includes(before)) attribute.value = before;
    attribute.hidden = names.length === 0;
    return is_same;
  };
  const writeWords = () => {
    const entity = store.selected;
    nameButton(locate, text('entity_locate'));
    nameButton(close, text('entity_close'));
    setText(table_heads.attribute, text('attribute'));
    setText(table_heads.value, text('value'));
    setText(table_heads.age, text('age'));
    setAttribute(attribute, 'aria-label', text('chart_attribute'));
    setAttribute(ranges, 'aria-label', text('range'));
    if (!entity) return;
    setText(type, label(store.type_info(entity.type)?.label, entity.type));
    setText(title, nameOf(entity) || format.shortId(entity.id, entity.type));
    setText(id, entity.id);
    id.title = entity.id;
    locate.hidden = !hasLocation(entity);
    writeControls();
    values.replaceChildren();
    writeValues();
    writeAlerts();
  };
  const showChart = () => {
    const entity = store.selected;
    const how = entity ? info(entity, attribute.value) : undefined;
    void chart.show(
      entity && attribute.value !== ''
        ? {
            entity,
            attribute: attribute.value,
            name: nameFor(entity, attribute.value),
            unit: how?.unit ?? '',
            decimals: how?.decimals ?? -1,
            range,
          }
        : null,
    );
  };
  // The live stream tells values with their times; the first load did not.
  const loadTimes = async (entity: Entity) => {
    try {
      mergeNormalized(entity, await api.entity(entity.id));
      if (store.selected !== entity) return;
      writeValues();
      if (!writeControls()) showChart();
    } catch (error) {
      toast(text('loading_failed', { reason: describeError(error) }), 'error');
    }
  };

  store.on('selection', () => {
    const entity = store.selected;
    element.hidden = entity === null;
    if (!entity) {
      void chart.show(null);
      return;
    }
    writeWords();
    showChart();
    void loadTimes(entity);
  });
  store.on(
    'selected',
    throttled(() => {
      writeValues();
      if (!writeControlsIfNew()) return;
      showChart();
    }, 300),
  );
  store.on('selected', () => chart.follow());
  // A number that the entity did not have before.
  const writeControlsIfNew = () => {
    const entity = store.selected;
    if (!entity || attribute.options.length === numeric(entity).length) return false;
    const was_empty = attribute.options.length === 0;
    writeControls();
    return was_empty;
  };
  store.on('alerts', throttled(writeAlerts, 500));
  store.on('language', () => {
    writeWords();
    if (store.selected) showChart();
  });
  store.on('types', writeWords);
  store.on('theme', () => chart.repaint());
  attribute.addEventListener('change', showChart);
  setInterval(writeValues, 1000);
  writeWords();
  writeControls();
  return element;
}

// Values in the order in which the type declares them; what it does not declare follows.
export function orderedNames(store: Store, entity: Entity): string[] {
  const declared = (store.type_info(entity.type)?.attributes ?? []).map((a) => a.name);
  const known = new Set(declared);
  return [...declared, ...Object.keys(entity.values).filter((name) => !known.has(name))].filter((name) => name in entity.values);
}
