// Alerts: newest first, and what an operator can do about them.
import { allowedSteps, kFilters, newestFirst, passes, type Alert, type Filter } from '../alert.ts';
import { api, describeError, type Department, type KeyValues } from '../api.ts';
import { arrange, el, setAttribute, setText, throttled } from '../dom.ts';
import * as format from '../format.ts';
import { lang, text, word } from '../i18n.ts';
import type { Store } from '../store.ts';
import { choose, operatorName } from './dialogs.ts';
import { makePanel, Rows } from './panel.ts';
import { toast } from './toasts.ts';

const kShownMax = 150;
const kFetchMax = 500;

type Step = 'acknowledge' | 'assign' | 'close';

interface AlertRow {
  element: HTMLElement;
  write(alert: Alert, now_ms: number): void;
}

export interface AlertsPanel {
  readonly element: HTMLElement;
  flash(alerts: readonly Alert[]): void;
  reveal(id: string): void;
}

export function departmentName(departments: readonly Department[], name: string): string {
  if (name === '') return text('department_none');
  if (lang() === 'zh') return name;
  return departments.find((department) => department.name === name)?.en || name;
}

export function makeAlertsPanel(store: Store, on_show: (alert: Alert) => void): AlertsPanel {
  const panel = makePanel('alerts');
  panel.element.setAttribute('data-testid', 'alerts');
  const filter_name = el('span');
  const filter = el('select', { name: 'state', 'data-testid': 'alert-filter' });
  const list = el('ul', { class: 'rows alert-list' });
  const note = el('p', { class: 'quiet-note' });
  panel.element.querySelector('.panel-head')?.append(el('label', { class: 'filter' }, filter_name, filter));
  panel.body.append(list, note);
  const flashing = new Set<string>();
  let older_left_out = 0;

  const current = (): Filter => (kFilters.find((name) => name === filter.value) ?? 'open');

  const act = async (id: string, step: Step) => {
    try {
      const answer = await perform(store, id, step);
      if (answer) store.update_alerts([answer]);
    } catch (error) {
      toast(text('action_failed', { reason: describeError(error) }), 'error');
    }
  };

  const rows = new Rows<AlertRow>((id) => makeRow(store, id, on_show, (step) => act(id, step)));

  const write = () => {
    const shown = [...store.alerts].filter((alert) => passes(alert.status, current())).sort(newestFirst);
    const first = shown.slice(0, kShownMax);
    const made = rows.take(first.map((alert) => alert.id));
    made.forEach((row, i) => {
      const alert = first[i];
      if (!alert) return;
      row.write(alert, store.now());
      if (flashing.delete(alert.id)) {
        row.element.classList.add('flash');
        setTimeout(() => row.element.classList.remove('flash'), 4000);
      }
    });
    flashing.clear();
    arrange(list, made.map((row) => row.element));
    const rest = shown.length - first.length + (current() === 'open' ? store.open_alerts_left_out : older_left_out);
    note.hidden = first.length > 0 && rest === 0;
    setText(note, first.length === 0 ? text('alerts_none') : text('alerts_more', { n: format.count(rest) }));
    setText(panel.note, format.count(shown.length + rest - (shown.length - first.length)));
  };

  // Open alerts are always here; others come when somebody asks for them.
  const load = async () => {
    older_left_out = 0;
    write();
    const state = current();
    if (state === 'open') return;
    try {
      const { alerts, total } = await api.alerts(state, kFetchMax);
      if (current() !== state) return;
      older_left_out = Math.max(0, total - alerts.length);
      store.update_alerts(alerts, false);
    } catch (error) {
      toast(text('loading_failed', { reason: describeError(error) }), 'error');
    }
  };

  const writeWords = () => {
    setText(panel.title, text('alerts'));
    setText(filter_name, text('alert_filter'));
    const before = current();
    filter.replaceChildren(...kFilters.map((name) => el('option', { value: name }, word('state', name))));
    filter.value = before;
    write();
  };
  filter.addEventListener('change', () => void load());
  writeWords();
  store.on('language', writeWords);
  store.on(['alerts', 'departments'], throttled(write, 200));
  store.on('loaded', () => void load());
  setInterval(write, 5000);

  return {
    element: panel.element,
    flash(alerts) {
      alerts.forEach((alert) => flashing.add(alert.id));
    },
    reveal(id) {
      write();
      const row = rows.get(id);
      if (!row) return;
      row.element.scrollIntoView({ block: 'nearest' });
      row.element.querySelector<HTMLElement>('.alert-main')?.focus({ preventScroll: true });
    },
  };
}

// Null: the operator thought better of it.
async function perform(store: Store, id: string, step: Step): Promise<KeyValues | null> {
  let department: string | null = '';
  if (step === 'assign') {
    const choices = store.departments.map((d) => ({ value: d.name, name: departmentName(store.departments, d.name) }));
    department = await choose(text('assign_title'), choices, store.alert(id)?.department ?? '', text('departments_none'));
    if (department === null) return null;
  }
  const by = await operatorName(() => store.emit('operator'));
  if (by === null) return null;
  if (step === 'assign') return api.assign(id, department, by);
  return step === 'close' ? api.close(id, by) : api.acknowledge(id, by);
}

function makeRow(store: Store, id: string, on_show: (alert: Alert) => void, act: (step: Step) => Promise<void>): AlertRow {
  const severity = el('span', { class: 'severity' });
  const what = el('span', { class: 'alert-what' });
  const rule = el('span', { class: 'ellipsis' });
  const age = el('time', { class: 'age' });
  const source = el('span', { class: 'ellipsis grow' });
  const state = el('span', { class: 'state' });
  const department = el('span', { class: 'ellipsis department' });
  const main = el(
    'button',
    {
      type: 'button',
      class: 'alert-main',
      onclick: () => {
        const alert = store.alert(id);
        if (alert) on_show(alert);
      },
    },
    el('span', { class: 'alert-line' }, severity, what, age),
    el('span', { class: 'alert-line minor' }, rule, source, department),
  );
  // A second click while the first is under way would only earn a conflict.
  const button = (step: Step) => {
    const made: HTMLButtonElement = el(
      'button',
      {
        type: 'button',
        class: 'button small',
        'data-testid': step === 'acknowledge' ? 'ack-button' : `${step}-button`,
        onclick: () => {
          made.disabled = true;
          void act(step).finally(() => {
            made.disabled = false;
          });
        },
      },
    );
    return made;
  };
  const steps = { acknowledge: button('acknowledge'), assign: button('assign'), close: button('close') };
  const element = el(
    'li',
    { class: 'alert-row', 'data-testid': 'alert-row', 'data-alert-id': id },
    main,
    el('div', { class: 'alert-line alert-actions' }, state, el('span', { class: 'grow' }), steps.acknowledge, steps.assign, steps.close),
  );
  const write = (alert: Alert, now_ms: number) => {
    setAttribute(element, 'data-status', alert.status);
    setAttribute(element, 'data-severity', alert.severity);
    setText(severity, word('severity', alert.severity));
    const subject = alert.description || alert.rule;
    setText(what, subject);
    setAttribute(main, 'aria-label', text('alert_show', { what: subject }));
    setText(rule, alert.rule);
    const entity = store.entities.get(alert.source_id);
    setText(source, entity ? format.shortId(entity.id, entity.type) : alert.source_id.replace(/^urn:ngsi-ld:/, ''));
    setAttribute(source, 'title', alert.source_id);
    setText(age, format.age(Math.max(0, now_ms - alert.issued_ms)));
    setAttribute(age, 'title', alert.issued_ms > 0 ? format.dateTime(alert.issued_ms) : null);
    setText(state, word('state', alert.status));
    setText(department, departmentName(store.departments, alert.department));
    const allowed = allowedSteps(alert.status);
    for (const step of ['acknowledge', 'assign', 'close'] as const) {
      setText(steps[step], text(step));
      steps[step].hidden = !allowed[step];
    }
  };
  return { element, write };
}
