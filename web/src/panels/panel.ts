import { el } from '../dom.ts';

// A titled part of a column.
export interface Panel {
  readonly element: HTMLElement;
  readonly title: HTMLElement;
  readonly note: HTMLElement; // beside the title
  readonly body: HTMLElement;
}

export function makePanel(name: string): Panel {
  const title = el('h2', { id: `${name}-title` });
  const note = el('span', { class: 'panel-note' });
  const body = el('div', { class: 'panel-body' });
  const head = el('div', { class: 'panel-head' }, title, note);
  const element = el('section', { class: `panel ${name}`, 'aria-labelledby': `${name}-title` }, head, body);
  return { element, title, note, body };
}

// Keeps one element per key over renderings, so that focus, selection and animations survive.
export class Rows<T extends { element: HTMLElement }> {
  private rows = new Map<string, T>();

  // The row of `key`, made if it is not there.
  constructor(private readonly make: (key: string) => T) {}

  take(keys: readonly string[]): T[] {
    const next = new Map<string, T>();
    for (const key of keys) next.set(key, this.rows.get(key) ?? this.make(key));
    this.rows = next;
    return [...next.values()];
  }

  get(key: string): T | undefined {
    return this.rows.get(key);
  }
}
