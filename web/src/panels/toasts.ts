// Short messages at the edge of the screen, read out by screen readers.
import { el, iconButton } from '../dom.ts';
import { text } from '../i18n.ts';

const kShown_ms = 8000;
const kShownMax = 4;

const box = el('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

export function mountToasts(parent: Element): void {
  parent.append(box);
}

export function toast(message: string, kind: 'error' | 'info' = 'info'): void {
  const element = el('div', { class: `toast ${kind}` }, el('span', {}, message));
  element.append(iconButton('cross', text('dismiss'), () => element.remove()));
  box.append(element);
  while (box.children.length > kShownMax) box.firstElementChild?.remove();
  setTimeout(() => element.remove(), kShown_ms);
}
