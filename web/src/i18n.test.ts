import { afterEach, describe, expect, it } from 'vitest';
import { defaultLang, label, lang, setLang, table, text, word } from './i18n.ts';

const places = (words: string) => (words.match(/\{\w+\}/g) ?? []).sort();

describe('the table of words', () => {
  it('says everything in both languages, with the same places', () => {
    for (const [key, { zh, en }] of Object.entries(table)) {
      expect(zh.trim(), key).not.toBe('');
      expect(en.trim(), key).not.toBe('');
      expect(places(zh), key).toEqual(places(en));
    }
  });

  it('holds Chinese where it says Chinese, and none where it says English', () => {
    // The switch names the other language in that language.
    const exceptions = ['switch_language', 'switch_language_short'];
    for (const [key, { zh, en }] of Object.entries(table)) {
      if (exceptions.includes(key)) continue;
      expect(/\p{Script=Han}/u.test(zh) || /^\{\w+\}\//.test(zh), key).toBe(true);
      expect(/\p{Script=Han}/u.test(en), key).toBe(false);
    }
  });

  it('has words for every name the server uses', () => {
    const states = ['open', 'raised', 'acknowledged', 'assigned', 'cleared', 'closed', 'all'];
    const severities = ['informational', 'low', 'medium', 'high', 'critical'];
    for (const state of states) expect(table).toHaveProperty(`state_${state}`);
    for (const severity of severities) expect(table).toHaveProperty(`severity_${severity}`);
    for (const range of ['1h', '24h', '7d', 'all']) expect(table).toHaveProperty(`range_${range}`);
  });
});

describe('words', () => {
  afterEach(() => setLang('zh'));

  it('fills places and leaves unknown ones', () => {
    setLang('en');
    expect(text('minutes_ago', { n: 3 })).toBe('3 min ago');
    expect(text('minutes_ago')).toBe('{n} min ago');
    setLang('zh');
    expect(text('minutes_ago', { n: 3 })).toBe('3 分钟前');
    expect(lang()).toBe('zh');
  });

  it('shows an unknown name as it is', () => {
    expect(word('state', 'raised')).toBe('待确认');
    expect(word('state', 'reopened')).toBe('reopened');
  });

  it('takes the other language, then the name, where a label lacks one', () => {
    expect(label({ zh: '车辆', en: 'Vehicle' }, 'V')).toBe('车辆');
    expect(label({ zh: '', en: 'Vehicle' }, 'V')).toBe('Vehicle');
    expect(label({}, 'V')).toBe('V');
    expect(label(undefined, 'V')).toBe('V');
  });

  it('starts in the language of the browser', () => {
    expect(defaultLang(['zh-Hans-CN', 'en'])).toBe('zh');
    expect(defaultLang(['zh'])).toBe('zh');
    expect(defaultLang(['en-US', 'zh'])).toBe('en');
    expect(defaultLang(['fr'])).toBe('en');
    expect(defaultLang([])).toBe('en');
  });
});
