import { el, iconButton, nameButton, setAttribute, setText, icon } from '../dom.ts';
import * as format from '../format.ts';
import { lang, setLang, text } from '../i18n.ts';
import { settings } from '../settings.ts';
import { hasLocation } from '../entity.ts';
import type { Store } from '../store.ts';
import { throttled } from '../dom.ts';
import { logOut, userDepartment, userName } from '../session.ts';
import { askOperator, askYes } from './dialogs.ts';

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = settings.theme;
}

export function applyLang(): void {
  setLang(settings.lang);
  document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en';
}

function figure(testid: string): { element: HTMLElement; value: HTMLElement; name: HTMLElement } {
  const value = el('strong', { 'data-testid': testid });
  const name = el('span');
  return { element: el('div', { class: 'figure' }, value, name), value, name };
}

export function makeHeader(store: Store): HTMLElement {
  const title = el('span', { class: 'brand-title' });
  const brand = el('h1', { class: 'brand' }, el('img', { src: '/favicon.svg', alt: '', width: 26, height: 26 }), el('b', {}, 'Ficus'), title);
  const simulated = el('span', { class: 'simulated', 'data-testid': 'simulated-badge', role: 'note', hidden: true });
  const objects = figure('entity-count');
  const alerts = figure('alert-count');
  const connection = el('span', { class: 'connection', role: 'status', 'data-testid': 'connection' });
  const clock = el('time', { class: 'clock' });
  const operator_name = el('span');
  const operator = el(
    'button',
    { type: 'button', class: 'button quiet operator', 'data-testid': 'operator', onclick: () => void changeOperator(store) },
    icon('person'),
    operator_name,
  );
  const language = el('button', { type: 'button', class: 'button quiet', 'data-testid': 'lang-switch', onclick: () => switchLanguage(store) });
  const theme_button = iconButton('sun', '', () => switchTheme(store), { 'data-testid': 'theme-switch' });

  const writeWords = () => {
    document.title = `Ficus · ${text('app_title')}`;
    setText(title, text('app_title'));
    setText(simulated, text('simulated'));
    simulated.title = text('simulated_hint');
    setText(objects.name, text('objects'));
    setText(alerts.name, text('open_alerts'));
    setText(language, text('switch_language_short'));
    nameButton(language, text('switch_language'));
    writeOperator();
    writeTheme();
  };
  const writeOperator = () => {
    const name = userName() || settings.operator || text('operator_none');
    setText(operator_name, name);
    const department = userDepartment();
    nameButton(operator, `${text('operator')}: ${name}${department === '' ? '' : ` · ${department}`}`);
  };
  const writeTheme = () => {
    const is_dark = settings.theme === 'dark';
    theme_button.replaceChildren(icon(is_dark ? 'sun' : 'moon'));
    nameButton(theme_button, text(is_dark ? 'theme_light' : 'theme_dark'));
  };
  const writeFigures = () => {
    const located = [...store.entities.values()].reduce((n, e) => n + (hasLocation(e) ? 1 : 0), 0);
    setText(objects.value, format.count(store.entities.size));
    setAttribute(objects.value, 'data-count', String(store.entities.size));
    setAttribute(objects.value, 'data-located', String(located));
    const open = store.open_alert_count;
    setText(alerts.value, format.count(open));
    setAttribute(alerts.value, 'data-count', String(open));
    alerts.element.classList.toggle('some', open > 0);
  };
  const writeConnection = () => {
    setText(clock, format.clock(store.now()));
    const { connection: c } = store;
    setAttribute(connection, 'data-state', c.state);
    const seconds = c.state === 'waiting' ? Math.max(0, Math.ceil((c.until_ms - Date.now()) / 1000)) : 0;
    setText(connection, text(`connection_${c.state}`, { seconds }));
    simulated.hidden = !store.is_simulated;
  };

  store.on('language', () => {
    writeWords();
    writeFigures();
    writeConnection();
  });
  store.on('theme', writeTheme);
  store.on('operator', writeOperator);
  store.on(['entities', 'alerts'], throttled(writeFigures, 500));
  store.on(['connection', 'simulated', 'sources'], writeConnection);
  setInterval(writeConnection, 1000);
  writeWords();
  writeFigures();
  writeConnection();

  return el(
    'header',
    { class: 'header' },
    brand,
    simulated,
    el('div', { class: 'header-middle' }, objects.element, alerts.element),
    el('div', { class: 'header-end' }, connection, clock, operator, language, theme_button),
  );
}

function switchLanguage(store: Store): void {
  settings.lang = lang() === 'zh' ? 'en' : 'zh';
  applyLang();
  store.emit('language');
}

function switchTheme(store: Store): void {
  settings.theme = settings.theme === 'dark' ? 'light' : 'dark';
  applyTheme();
  store.emit('theme');
}

// Who is logged in can only log out; without users, anybody says who they are.
async function changeOperator(store: Store): Promise<void> {
  if (userName() !== '') {
    if (await askYes(text('logout_title', { user: userName() }), text('logout'))) await logOut();
    return;
  }
  const name = await askOperator(settings.operator);
  if (name === null) return;
  settings.operator = name;
  store.emit('operator');
}
