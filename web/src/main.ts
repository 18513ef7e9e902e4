// Wires the page together: reads from the server into the store, and panels to each other.
import './style/base.css';
import './style/layout.css';
import './style/panels.css';
import type { Alert } from './alert.ts';
import { api, ApiError, describeError, type AlertPage, type KeyValues } from './api.ts';
import { el, icon, nameButton, setAttribute, setText, type Icon } from './dom.ts';
import { hasLocation, timeOf } from './entity.ts';
import { text } from './i18n.ts';
import { LiveConnection, type LiveMessage } from './live.ts';
import { MapView } from './map/map_view.ts';
import { makeAlertsPanel } from './panels/alerts.ts';
import { makeEntityPanel } from './panels/entity.ts';
import { applyLang, applyTheme, makeHeader } from './panels/header.ts';
import { makeLayersPanel } from './panels/layers.ts';
import { makeObjectsPanel } from './panels/objects.ts';
import { makeSourcesPanel } from './panels/sources.ts';
import { mountToasts, toast } from './panels/toasts.ts';
import { ensureSession } from './session.ts';
import { settings } from './settings.ts';
import { kAlertType, Store } from './store.ts';

const kOpenAlertsMax = 5000;
const kTypesAgain_ms = 3000;

// For tests: what the map has drawn last.
declare global {
  interface Window {
    ficus: {
      readonly entitiesOnMap: number;
      readonly positions: Record<string, [number, number]>;
    };
  }
}

applyTheme();
applyLang();
const store = new Store();

const views = ['map', 'alerts', 'layers', 'sources'] as const;
type View = (typeof views)[number];

// On a narrow screen one view is seen at a time; a wide one shows all and does not care.
function showView(view: View): void {
  document.body.dataset['view'] = view;
  for (const button of document.querySelectorAll('.tabs button')) {
    setAttribute(button, 'aria-pressed', String(button.getAttribute('data-view') === view));
  }
}

function pick(id: string | null): void {
  store.select(id);
  if (id !== null) showView('map');
}

function showAlert(alert: Alert): void {
  if (alert.source_id !== '' && store.entities.has(alert.source_id)) store.select(alert.source_id);
  const { selected } = store;
  // The entity is followed where it is now; an alert about something without a place stays put.
  if (selected?.id === alert.source_id && hasLocation(selected)) map.fly_to(selected.longitude, selected.latitude);
  else if (alert.place) map.fly_to(alert.place[0], alert.place[1]);
  showView('map');
}

const map = new MapView(store, () => settings.theme, {
  on_pick: pick,
  on_pick_alert: (id) => {
    showView('alerts');
    alerts.reveal(id);
  },
});
const alerts = makeAlertsPanel(store, showAlert);
const objects = makeObjectsPanel(store, (id) => {
  pick(id);
  const { selected } = store;
  if (selected && hasLocation(selected)) map.fly_to(selected.longitude, selected.latitude);
});
const entity = makeEntityPanel(store, {
  on_pick: pick,
  on_locate: (e) => map.fly_to(e.longitude, e.latitude),
});

window.ficus = {
  get entitiesOnMap() {
    return map.count;
  },
  get positions() {
    return map.positions();
  },
};

function makeTabs(): HTMLElement {
  const pictures: Record<View, Icon> = { map: 'map', alerts: 'bell', layers: 'layers', sources: 'source' };
  const buttons = views.map((view) => {
    const name = el('span');
    return { view, name, button: el('button', { type: 'button', 'data-view': view, onclick: () => showView(view) }, icon(pictures[view]), name) };
  });
  const nav = el('nav', { class: 'tabs' }, ...buttons.map((b) => b.button));
  const write = () => {
    setAttribute(nav, 'aria-label', text('views'));
    for (const { view, name, button } of buttons) {
      setText(name, text(`view_${view}`));
      nameButton(button, text(`view_${view}`));
    }
  };
  write();
  store.on('language', write);
  return nav;
}

document.getElementById('app')?.append(
  makeHeader(store),
  el(
    'main',
    { class: 'main' },
    el(
      'div',
      { class: 'column left' },
      makeLayersPanel(store, (type) => objects.show_type(type)),
      objects.element,
      makeSourcesPanel(store),
    ),
    el('div', { class: 'column middle' }, map.element, entity),
    el('div', { class: 'column right' }, alerts.element),
  ),
  makeTabs(),
);
mountToasts(document.body);
showView('map');
map.open();

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const is_typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === 'Escape' && !is_typing) store.select(null);
  if (event.key === '/' && !is_typing) {
    event.preventDefault();
    showView('layers');
    objects.focus();
  }
});

matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => {
  applyTheme();
  store.emit('theme');
});

// --- the server

// What the live stream says while a load is under way waits, so that the load does not undo it.
let waiting: LiveMessage[] | null = null;
let types_asked_ms = 0;

// Not everybody may see alerts.
async function openAlerts(): Promise<AlertPage> {
  try {
    return await api.alerts('open', kOpenAlertsMax);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return { alerts: [], total: 0 };
    throw error;
  }
}

async function load(): Promise<void> {
  const [types, departments, sources, zones, base_map, alerts_open] = await Promise.all([
    api.types(),
    api.departments(),
    api.sources(),
    api.zones(),
    api.map(),
    openAlerts(),
  ]);
  const entities = await Promise.all(types.filter((t) => t.name !== kAlertType).map((t) => api.entities(t.name)));
  store.types = types;
  store.departments = departments;
  store.sources = sources.sources;
  store.zones = zones;
  store.base_map = base_map;
  store.replace_entities(entities.flat());
  store.replace_alerts(alerts_open.alerts, Math.max(0, alerts_open.total - alerts_open.alerts.length));
  for (const topic of ['types', 'departments', 'sources', 'simulated', 'loaded'] as const) store.emit(topic);
}

// A type that was not there when the page was loaded.
async function loadTypes(): Promise<void> {
  if (performance.now() - types_asked_ms < kTypesAgain_ms) return;
  types_asked_ms = performance.now();
  try {
    store.types = await api.types();
    store.emit('types');
  } catch {
    // The next row of that type asks again.
  }
}

function takeRows(rows: readonly KeyValues[]): void {
  if (store.update_entities(rows)) void loadTypes();
}

function takeAlerts(rows: readonly KeyValues[]): void {
  const raised = store.update_alerts(rows);
  alerts.flash(raised);
  const urgent = raised.find((alert) => alert.severity === 'critical' || alert.severity === 'high');
  if (urgent) toast(text('alert_new', { what: urgent.description || urgent.rule }));
}

function take(message: LiveMessage): void {
  switch (message.kind) {
    case 'hello':
      store.hello_simulated = message.simulated;
      store.set_server_time(timeOf(message.time));
      store.emit('simulated');
      return;
    case 'entities':
      takeRows(message.entities);
      return;
    case 'alerts':
      takeAlerts(message.alerts);
      return;
    case 'sources':
      store.sources = message.sources;
      store.emit('sources');
      return;
    case 'reload':
      toast(text('reloaded'));
      void loadAll();
      return;
    case 'error':
      toast(message.message, 'error');
      return;
  }
}

// Rows that arrived while loading: the loaded state has those that are not newer.
function isNews(row: KeyValues): boolean {
  const known = store.entities.get(row.id);
  return known === undefined || timeOf(row.observedAt) > known.newest_ms;
}

async function loadAll(): Promise<void> {
  const held: LiveMessage[] = (waiting = []);
  store.connection = { state: 'loading' };
  store.emit('connection');
  try {
    await load();
  } catch (error) {
    if (waiting !== held) return; // lost meanwhile: the next connection loads
    toast(text('loading_failed', { reason: describeError(error) }), 'error');
    live.restart();
    return;
  }
  if (waiting !== held) return;
  waiting = null;
  for (const message of held) {
    take(message.kind === 'entities' ? { ...message, entities: message.entities.filter(isNews) } : message);
  }
  store.connection = { state: 'live' };
  store.emit('connection');
}

const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const live = new LiveConnection(`${scheme}//${location.host}/live`, {
  on_connecting() {
    store.connection = { state: 'connecting' };
    store.emit('connection');
  },
  on_open() {
    void loadAll();
  },
  on_message(message) {
    if (waiting === null || message.kind === 'hello') take(message);
    else waiting.push(message);
  },
  on_lost(retry_in_ms) {
    waiting = null;
    store.connection = { state: 'waiting', until_ms: Date.now() + retry_in_ms };
    store.emit('connection');
    // A browser is not told why a socket was refused; it may be that we must log in again.
    void ensureSession(() => store.emit('operator'));
  },
});
void ensureSession(() => store.emit('operator')).then(() => live.open());
