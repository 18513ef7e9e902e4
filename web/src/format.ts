import { lang, text } from './i18n.ts';
import { unitSymbol } from './units.ts';

const locale = () => (lang() === 'zh' ? 'zh-CN' : 'en-GB');

// Making an Intl object is slow; there are few different ones.
const kNumberFormats = new Map<string, Intl.NumberFormat>();
const kTimeFormats = new Map<string, Intl.DateTimeFormat>();

function numberFormat(decimals_max: number, decimals_min: number): Intl.NumberFormat {
  const key = `${locale()} ${decimals_max} ${decimals_min}`;
  let format = kNumberFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale(), {
      maximumFractionDigits: decimals_max,
      minimumFractionDigits: decimals_min,
    });
    kNumberFormats.set(key, format);
  }
  return format;
}

function timeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options);
  let format = kTimeFormats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale(), { hourCycle: 'h23', ...options });
    kTimeFormats.set(key, format);
  }
  return format;
}

export function count(n: number): string {
  return numberFormat(0, 0).format(n);
}

// `decimals`: the digits after the point that matter, as the type declares; negative or missing: all.
export function number(value: number, decimals?: number): string {
  if (!Number.isFinite(value)) return '–';
  if (decimals !== undefined && decimals >= 0) return numberFormat(decimals, decimals).format(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e12 || size < 1e-4)) return value.toExponential(3);
  return numberFormat(size >= 1000 ? 1 : size >= 1 ? 3 : 6, 0).format(value);
}

export function rate(per_second: number): string {
  const shown = per_second >= 10 ? count(Math.round(per_second)) : numberFormat(1, 0).format(per_second);
  return text('per_second', { n: shown });
}

export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return text('just_now');
  if (seconds < 120) return text('seconds_ago', { n: seconds });
  if (seconds < 120 * 60) return text('minutes_ago', { n: Math.floor(seconds / 60) });
  if (seconds < 48 * 3600) return text('hours_ago', { n: Math.floor(seconds / 3600) });
  return text('days_ago', { n: count(Math.floor(seconds / 86400)) });
}

export function dateTime(ms: number): string {
  return timeFormat({ dateStyle: 'medium', timeStyle: 'medium' }).format(ms);
}

export function clock(ms: number): string {
  return timeFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(ms);
}

// A tick of a time axis whose ticks are `step_s` seconds apart.
export function timeTick(seconds: number, step_s: number): string {
  const time = new Date(seconds * 1000);
  const is_midnight = time.getHours() === 0 && time.getMinutes() === 0 && time.getSeconds() === 0;
  if (step_s >= 86400 * 300) return timeFormat({ year: 'numeric' }).format(time);
  if (step_s >= 86400 * 20) return timeFormat({ year: 'numeric', month: 'short' }).format(time);
  if (step_s >= 86400 || is_midnight) return timeFormat({ month: 'numeric', day: 'numeric' }).format(time);
  if (step_s >= 60) return timeFormat({ hour: '2-digit', minute: '2-digit' }).format(time);
  return clock(time.getTime());
}

// "urn:ngsi-ld:Vehicle:K1" reads "K1": the type stands beside it anyway.
export function shortId(id: string, type: string): string {
  const prefix = `urn:ngsi-ld:${type}:`;
  return id.startsWith(prefix) && id.length > prefix.length ? id.slice(prefix.length) : id;
}

export function coordinates(longitude: number, latitude: number): string {
  return `${longitude.toFixed(5)}, ${latitude.toFixed(5)}`;
}

interface HowToShow {
  readonly kind?: string;
  readonly unit?: string;
  readonly decimals?: number;
}

// An attribute's value in words, with its unit.
export function value(given: unknown, how: HowToShow = {}): string {
  if (given === null || given === undefined) return '–';
  if (typeof given === 'number') {
    const unit = unitSymbol(how.unit ?? '');
    const space = unit === '' || /^[°′″%]$/.test(unit) ? '' : '\u00a0';
    return number(given, how.decimals) + space + unit;
  }
  if (typeof given === 'boolean') return text(given ? 'yes' : 'no');
  if (typeof given === 'string') {
    const time = how.kind === 'time' ? Date.parse(given) : NaN;
    return Number.isNaN(time) ? given : dateTime(time);
  }
  const point = given as { type?: unknown; coordinates?: unknown };
  if (point.type === 'Point' && Array.isArray(point.coordinates)) {
    const [longitude, latitude] = point.coordinates as unknown[];
    if (typeof longitude === 'number' && typeof latitude === 'number') return coordinates(longitude, latitude);
  }
  return JSON.stringify(given);
}
