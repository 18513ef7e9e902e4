// The books: what became of every message of every source.
import type { SourceBooks } from '../api.ts';
import { unaccounted } from '../books.ts';
import { arrange, el, icon, nameButton, setAttribute, setText } from '../dom.ts';
import { timeOf } from '../entity.ts';
import * as format from '../format.ts';
import { label, text } from '../i18n.ts';
import type { Store } from '../store.ts';
import { makePanel, Rows } from './panel.ts';

const kFates = ['applied', 'late', 'duplicate', 'quarantined', 'refused'] as const;

interface SourceRow {
  element: HTMLElement;
  write(source: SourceBooks, now_ms: number): void;
}

function makeRow(name: string): SourceRow {
  const title = el('span', { class: 'grow ellipsis source-name' });
  const protocol = el('span', { class: 'tag' });
  const simulated = el('span', { class: 'tag simulated-tag' });
  const mark = el('span', { class: 'mark', role: 'img' });
  const speed = el('span', { class: 'number' });
  const heard = el('span', { class: 'quiet-note' });
  const link = el('div', { class: 'quiet-note ellipsis', 'data-testid': 'source-link' });
  const received = el('b');
  const received_name = el('span');
  const fates = kFates.map((fate) => {
    const value = el('b');
    const word = el('span');
    const cell = el('div', { class: `fate ${fate}` }, value, word);
    return { fate, value, word, cell };
  });
  const element = el(
    'li',
    { class: 'source-row', 'data-testid': 'source-row', 'data-source': name },
    el('div', { class: 'source-head' }, mark, title, simulated, protocol),
    el('div', { class: 'source-head' }, el('span', { class: 'grow received' }, received, received_name), speed, heard),
    el('div', { class: 'fates' }, ...fates.map((f) => f.cell)),
    link,
  );
  const write = (source: SourceBooks, now_ms: number) => {
    setText(title, label(source.label, source.name));
    title.title = source.name;
    setText(protocol, source.protocol.toUpperCase());
    setText(simulated, text('simulated'));
    simulated.hidden = !source.simulated;
    setText(speed, format.rate(source.ratePerSecond));
    const heard_ms = timeOf(source.lastReceivedAt);
    setText(heard, heard_ms === 0 ? text('never') : format.age(Math.max(0, now_ms - heard_ms)));
    heard.title = text('last_heard');
    setText(received, format.count(source.received));
    setText(received_name, ` ${text('received')} =`);
    for (const { fate, value, word, cell } of fates) {
      setText(value, format.count(source[fate]));
      setText(word, text(fate));
      cell.classList.toggle('none', source[fate] === 0);
      if (fate === 'refused') {
        cell.title = Object.entries(source.refusedBy)
          .map(([reason, n]) => `${reason}: ${format.count(n)}`)
          .join('\n');
      }
    }
    const { connection } = source;
    link.hidden = connection === undefined;
    if (connection) {
      const error = connection.state === 'connected' ? '' : connection.lastError;
      setText(link, [text(`link_${connection.state}`), connection.peer, error].filter((part) => part !== '').join(' · '));
      link.title = connection.lastError;
    }
    const left = unaccounted(source);
    const state = left === 0 ? 'true' : 'false';
    if (element.dataset['balanced'] !== state) mark.replaceChildren(icon(left === 0 ? 'check' : 'cross'));
    setAttribute(element, 'data-balanced', state);
    nameButton(mark, left === 0 ? text('balanced') : text('unbalanced', { n: format.count(left) }));
  };
  return { element, write };
}

export function makeSourcesPanel(store: Store): HTMLElement {
  const panel = makePanel('sources');
  const list = el('ul', { class: 'rows' });
  const none = el('p', { class: 'quiet-note' });
  panel.body.append(list, none);
  const rows = new Rows<SourceRow>(makeRow);
  const write = () => {
    setText(panel.title, text('sources'));
    const made = rows.take(store.sources.map((source) => source.name));
    made.forEach((row, i) => {
      const source = store.sources[i];
      if (source) row.write(source, store.now());
    });
    arrange(list, made.map((row) => row.element));
    none.hidden = made.length > 0;
    setText(none, text('sources_none'));
    setText(panel.note, made.length > 0 ? format.rate(store.sources.reduce((sum, s) => sum + s.ratePerSecond, 0)) : '');
  };
  write();
  store.on(['sources', 'language'], write);
  setInterval(write, 1000);
  return panel.element;
}
