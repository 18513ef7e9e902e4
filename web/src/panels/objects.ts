// Finding entities, those without a location included.
import { arrange, el, setAttribute, setText, throttled } from '../dom.ts';
import { hasLocation, nameOf } from '../entity.ts';
import * as format from '../format.ts';
import { label, text } from '../i18n.ts';
import { typeColour } from '../map/palette.ts';
import { settings } from '../settings.ts';
import { kAlertType, type Store } from '../store.ts';
import { find } from './find.ts';
import { makePanel, Rows } from './panel.ts';

const kShownMax = 60;

interface ObjectRow {
  element: HTMLElement;
  button: HTMLButtonElement;
  swatch: HTMLElement;
  name: HTMLElement;
  note: HTMLElement;
}

export interface ObjectsPanel {
  readonly element: HTMLElement;
  show_type(type: string): void;
  focus(): void;
}

export function makeObjectsPanel(store: Store, on_pick: (id: string) => void): ObjectsPanel {
  const panel = makePanel('objects');
  const input = el('input', { type: 'search', name: 'search', autocomplete: 'off', spellcheck: 'false' });
  const types = el('select', { name: 'type' });
  const unlocated = el('input', { type: 'checkbox', name: 'unlocated' });
  const unlocated_name = el('span');
  const list = el('ul', { class: 'rows' });
  const more = el('p', { class: 'quiet-note' });
  panel.body.append(
    el('div', { class: 'search' }, input, types, el('label', { class: 'check' }, unlocated, unlocated_name)),
    list,
    more,
  );

  const rows = new Rows<ObjectRow>((id) => {
    const swatch = el('span', { class: 'swatch' });
    const name = el('span', { class: 'grow ellipsis' });
    const note = el('span', { class: 'tag' });
    const button = el('button', { type: 'button', class: 'row-button', onclick: () => on_pick(id) }, swatch, name, note);
    return { element: el('li', {}, button), button, swatch, name, note };
  });

  const writeTypes = () => {
    const shown = store.types.filter((type) => type.name !== kAlertType);
    const before = types.value;
    types.replaceChildren(
      el('option', { value: '' }, text('all_types')),
      ...shown.map((type) => el('option', { value: type.name }, label(type.label, type.name))),
    );
    types.value = before;
  };
  const write = () => {
    const among = types.value === '' ? store.entities.values() : (store.by_type.get(types.value) ?? []);
    const search = { words: input.value, only_unlocated: unlocated.checked };
    const { found, total } = find(among, search, kShownMax);
    const order = store.types.filter((type) => type.name !== kAlertType).map((type) => type.name);
    const made = rows.take(found.map((entity) => entity.id));
    made.forEach((row, i) => {
      const entity = found[i];
      if (!entity) return;
      row.swatch.style.background = typeColour(Math.max(0, order.indexOf(entity.type)), settings.theme);
      setText(row.name, nameOf(entity) || format.shortId(entity.id, entity.type));
      row.button.title = entity.id;
      row.note.hidden = hasLocation(entity);
      setText(row.note, row.note.hidden ? '' : text('no_location'));
      setAttribute(row.button, 'aria-current', entity === store.selected ? 'true' : null);
    });
    arrange(list, made.map((row) => row.element));
    setText(panel.note, format.count(total));
    const rest = total - found.length;
    more.hidden = rest === 0 && total > 0;
    setText(more, total === 0 ? text('no_results') : text('more_results', { n: format.count(rest) }));
  };
  const writeWords = () => {
    setText(panel.title, text('search'));
    input.placeholder = text('search_hint');
    input.setAttribute('aria-label', text('search'));
    types.setAttribute('aria-label', text('all_types'));
    setText(unlocated_name, text('only_unlocated'));
    writeTypes();
    write();
  };
  writeWords();
  for (const control of [input, types, unlocated]) control.addEventListener('input', write);
  store.on('language', writeWords);
  store.on('types', writeTypes);
  store.on(['selection', 'theme'], write);
  store.on('entities', throttled(write, 2000));
  return {
    element: panel.element,
    show_type(type) {
      types.value = type;
      input.value = '';
      write();
      panel.element.scrollIntoView({ block: 'nearest' });
    },
    focus() {
      input.focus();
    },
  };
}
