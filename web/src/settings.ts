// What one browser remembers: language, theme and the operator's name.
import { defaultLang, type Lang } from './i18n.ts';

export type Theme = 'dark' | 'light';

// Storage may be forbidden (a browser's privacy setting); then the page forgets, but works.
function read(key: string): string | null {
  try {
    return localStorage.getItem(`ficus.${key}`);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`ficus.${key}`, value);
  } catch {
    // Not remembered.
  }
}

export const settings = {
  get lang(): Lang {
    const given = read('lang');
    return given === 'zh' || given === 'en' ? given : defaultLang(navigator.languages);
  },
  set lang(value: Lang) {
    write('lang', value);
  },

  get theme(): Theme {
    const given = read('theme');
    if (given === 'dark' || given === 'light') return given;
    return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  },
  set theme(value: Theme) {
    write('theme', value);
  },

  get operator(): string {
    return read('operator') ?? '';
  },
  set operator(value: string) {
    write('operator', value);
  },
};
