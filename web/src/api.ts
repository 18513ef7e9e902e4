// The server's HTTP answers, and the calls the page makes. Shapes: src/api/api_server.cc.
import { lang, text } from './i18n.ts';

export interface Label {
  zh: string;
  en: string;
}

export interface AttributeInfo {
  name: string;
  kind: string;
  unit: string;
  decimals: number;
  label: Label;
}

export interface TypeInfo {
  name: string;
  label: Label;
  count: number;
  attributes: AttributeInfo[];
}

// An entity in NGSI-LD's simplified form, or the part of one that an observation told.
export interface KeyValues {
  id: string;
  type: string;
  observedAt?: string;
  [attribute: string]: unknown;
}

// One attribute in normalized form.
export interface NormalizedAttribute {
  type: string;
  value?: unknown;
  object?: unknown;
  observedAt?: string;
  unitCode?: string;
}

export interface NormalizedEntity {
  id: string;
  type: string;
  [attribute: string]: string | NormalizedAttribute;
}

export interface SourceBooks {
  name: string;
  label: Label;
  protocol: string;
  simulated: boolean;
  received: number;
  applied: number;
  late: number;
  duplicate: number;
  quarantined: number;
  refused: number;
  refusedBy: Record<string, number>;
  lastReceivedAt: string | null;
  ratePerSecond: number;
  connection?: Connection; // of a source that the brain fetches from
}

export interface Connection {
  state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  peer: string;
  connectedAt: string | null;
  lastError: string;
  lastErrorAt: string | null;
}

// Who the server takes us for, and what they may do.
export interface Session {
  open: boolean; // there are no users: everybody may do everything
  user: string;
  department: string;
  rights: { sql: boolean; alerts: 'none' | 'department' | 'all'; administer: boolean; types: '*' | string[] };
}

export interface Department {
  name: string;
  en: string;
}

export interface Series {
  columns: string[];
  rows: unknown[][];
  downsampled?: boolean;
  truncated?: boolean;
}

export interface AlertPage {
  alerts: KeyValues[];
  total: number;
}

// What went wrong, in the words of the server where it gave any. `status` 0: no answer at all.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly message_zh: string,
  ) {
    super(message);
  }
}

export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return text('error_network');
  const status = text('error_status', { status: error.status });
  if (lang() === 'en') return error.message || status;
  if (error.message_zh === '') return error.message || status;
  return error.message === '' ? error.message_zh : `${error.message_zh}（${error.message}）`;
}

async function errorOf(response: Response): Promise<ApiError> {
  let given: { code?: unknown; message?: unknown; message_zh?: unknown } = {};
  try {
    given = ((await response.json()) as { error?: typeof given }).error ?? {};
  } catch {
    // A proxy's page or nothing: the status has to do.
  }
  const words = (value: unknown) => (typeof value === 'string' ? value : '');
  return new ApiError(response.status, words(given.code), words(given.message), words(given.message_zh));
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  try {
    const response = await fetch(path, { cache: 'no-store', ...init });
    if (!response.ok) throw await errorOf(response);
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'network', error instanceof Error ? error.message : '', '');
  }
}

function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const segment = encodeURIComponent;
const kEntitiesPage = 10_000;

export const api = {
  whoami: () => ask<Session>('/whoami'),
  login: (user: string, password: string) => post<Session>('/login', { user, password }),
  logout: () => post<undefined>('/logout', {}),

  types: () => ask<TypeInfo[]>('/types'),
  sources: () => ask<{ sources: SourceBooks[] }>('/sources'),
  departments: () => ask<Department[]>('/departments'),
  zones: () => ask<GeoJSON.FeatureCollection>('/zones'),
  map: () => ask<GeoJSON.FeatureCollection>('/map'),

  // All entities of a type, page by page.
  async entities(type: string): Promise<KeyValues[]> {
    const all: KeyValues[] = [];
    while (true) {
      const page = await ask<KeyValues[]>(
        `/entities?type=${segment(type)}&options=keyValues&orderBy=id&limit=${kEntitiesPage}&offset=${all.length}`,
      );
      for (const entity of page) all.push(entity);
      if (page.length < kEntitiesPage) return all;
    }
  },

  entity: (id: string) => ask<NormalizedEntity>(`/entities/${segment(id)}`),

  history(id: string, attribute: string, from_ms: number, points: number, signal: AbortSignal): Promise<Series> {
    const from = new Date(from_ms).toISOString();
    return ask<Series>(
      `/entities/${segment(id)}/history?attributes=${segment(attribute)}&from=${segment(from)}&points=${points}`,
      { signal },
    );
  },

  alerts: (state: string, limit: number) =>
    ask<AlertPage>(`/alerts?state=${segment(state)}&limit=${limit}`),
  acknowledge: (id: string, by: string) => post<KeyValues>(`/alerts/${segment(id)}/acknowledge`, { by }),
  assign: (id: string, to: string, by: string) => post<KeyValues>(`/alerts/${segment(id)}/assign`, { to, by }),
  close: (id: string, by: string) => post<KeyValues>(`/alerts/${segment(id)}/close`, { by }),
};
