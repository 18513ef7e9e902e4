// Questions to the operator, as modal dialogs: the browser keeps the focus inside and Escape cancels.
import { el } from '../dom.ts';
import { text } from '../i18n.ts';
import { userName } from '../session.ts';
import { settings } from '../settings.ts';

function show<T>(title: string, fill: (form: HTMLFormElement, done: (answer: T | null) => void) => void): Promise<T | null> {
  return new Promise((resolve) => {
    let answer: T | null = null;
    const form = el('form', { method: 'dialog' }, el('h2', { id: 'dialog-title' }, title));
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    fill(form, (given) => {
      answer = given;
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function cancelButton(done: (answer: null) => void): HTMLButtonElement {
  return el('button', { type: 'button', class: 'button', onclick: () => done(null) }, text('cancel'));
}

export function askOperator(before: string): Promise<string | null> {
  return show<string>(text('operator_title'), (form, done) => {
    const input = el('input', {
      type: 'text',
      name: 'operator',
      'aria-labelledby': 'dialog-title',
      maxlength: 60,
      autocomplete: 'name',
      required: true,
      autofocus: true,
    });
    input.value = before;
    form.append(
      el('p', {}, text('operator_why')),
      input,
      el('div', { class: 'dialog-buttons' }, cancelButton(done), el('button', { class: 'button primary' }, text('ok'))),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name !== '') done(name);
    });
  });
}

// The name of who is logged in; without users, asked for once and then remembered. Null: the operator would not tell.
export async function operatorName(on_named: () => void): Promise<string | null> {
  if (userName() !== '') return userName();
  if (settings.operator !== '') return settings.operator;
  const name = await askOperator('');
  if (name !== null) {
    settings.operator = name;
    on_named();
  }
  return name;
}

export function askYes(title: string, yes: string): Promise<true | null> {
  return show<true>(title, (form, done) => {
    const button = el('button', { type: 'button', class: 'button primary', 'data-testid': 'dialog-yes', onclick: () => done(true) }, yes);
    form.append(el('div', { class: 'dialog-buttons' }, cancelButton(done), button));
  });
}

export interface Choice {
  readonly value: string;
  readonly name: string;
}

export function choose(title: string, choices: readonly Choice[], current: string, none: string): Promise<string | null> {
  return show<string>(title, (form, done) => {
    const list = el('div', { class: 'dialog-choices' });
    for (const { value, name } of choices) {
      list.append(
        el(
          'button',
          {
            type: 'button',
            class: 'button choice',
            'data-value': value,
            'aria-current': value === current ? 'true' : null,
            onclick: () => done(value),
          },
          name,
        ),
      );
    }
    if (choices.length === 0) list.append(el('p', {}, none));
    form.append(list, el('div', { class: 'dialog-buttons' }, cancelButton(done)));
  });
}
