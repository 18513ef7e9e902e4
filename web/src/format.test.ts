import { afterEach, describe, expect, it } from 'vitest';
import * as format from './format.ts';
import { setLang } from './i18n.ts';
import { unitSymbol } from './units.ts';

afterEach(() => setLang('zh'));

describe('values', () => {
  it('carry their unit', () => {
    expect(format.value(3, { unit: 'KMH', decimals: 1 })).toBe('3.0\u00a0km/h');
    expect(format.value(12, { unit: 'P1' })).toBe('12%');
    expect(format.value(21.5, { unit: 'CEL' })).toBe('21.5\u00a0°C');
    expect(format.value(47.9, { unit: 'DD', decimals: 0 })).toBe('48°');
    expect(format.value(5, { unit: 'C62' })).toBe('5');
    expect(format.value(5, { unit: 'XYZ' })).toBe('5\u00a0XYZ');
  });

  it('of every kind are words', () => {
    setLang('en');
    expect(format.value(true)).toBe('yes');
    expect(format.value(null)).toBe('–');
    expect(format.value(undefined)).toBe('–');
    expect(format.value(NaN)).toBe('–');
    expect(format.value('moving')).toBe('moving');
    expect(format.value({ type: 'Point', coordinates: [119.3, 26.05] })).toBe('119.30000, 26.05000');
    expect(format.value({ a: [1] })).toBe('{"a":[1]}');
    expect(format.value('not a time', { kind: 'time' })).toBe('not a time');
    expect(format.value('2026-05-01T08:00:00Z', { kind: 'time' })).toContain('2026');
  });
});

describe('numbers', () => {
  it('keep what matters', () => {
    expect(format.number(1234567.891)).toBe('1,234,567.9');
    expect(format.number(12.34567)).toBe('12.346');
    expect(format.number(0.1234567)).toBe('0.123457');
    expect(format.number(0)).toBe('0');
    expect(format.number(1e-9)).toBe('1.000e-9');
    expect(format.number(2, 2)).toBe('2.00');
    expect(format.number(2.5, -1)).toBe('2.5');
  });

  it('as rates', () => {
    expect(format.rate(0)).toBe('0/秒');
    expect(format.rate(1.25)).toBe('1.3/秒');
    expect(format.rate(1234.5)).toBe('1,235/秒');
  });
});

describe('ages', () => {
  it('change their unit as they grow', () => {
    setLang('en');
    const second = 1000;
    expect(format.age(0)).toBe('just now');
    expect(format.age(119 * second)).toBe('119 s ago');
    expect(format.age(120 * second)).toBe('2 min ago');
    expect(format.age(7199 * second)).toBe('119 min ago');
    expect(format.age(7200 * second)).toBe('2 h ago');
    expect(format.age(48 * 3600 * second)).toBe('2 d ago');
    expect(format.age(5000 * 86400 * second)).toBe('5,000 d ago');
  });
});

describe('ids', () => {
  it('lose what their type says anyway', () => {
    expect(format.shortId('urn:ngsi-ld:Vehicle:K1', 'Vehicle')).toBe('K1');
    expect(format.shortId('urn:ngsi-ld:Vehicle:', 'Vehicle')).toBe('urn:ngsi-ld:Vehicle:');
    expect(format.shortId('K1', 'Vehicle')).toBe('K1');
  });
});

describe('units', () => {
  it('are symbols, or the code where it is not known', () => {
    expect(unitSymbol('KNT')).toBe('kn');
    expect(unitSymbol('GQ')).toBe('µg/m³');
    expect(unitSymbol('61')).toBe('ppb');
    expect(unitSymbol('')).toBe('');
    expect(unitSymbol('ZZZ')).toBe('ZZZ');
  });
});
