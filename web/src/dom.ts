// Small helpers over plain DOM.

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | null | ((event: Event) => void)>>;

// <tag ...attributes>children</tag>. Functions become listeners ("onclick"); null and false leave an
// attribute out. Text is always text, never markup.
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

// Writing the same text again would still cost layout and disturb a selection.
export function setText(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

// Brings `parent`'s children into this order, moving only what is out of place, so that focus and
// scroll position survive.
export function arrange(parent: Element, wanted: readonly Element[]): void {
  const keep = new Set<Element>(wanted);
  for (const child of Array.from(parent.children)) if (!keep.has(child)) child.remove();
  wanted.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}

// A screen that draws slowly (maps without a graphics card) or not at all (a hidden window) gives no
// frames; figures are brought up to date after this long all the same.
const kFrameWait_ms = 1000;

// Calls `work` once: on the next animation frame, or after a second without one.
export function onFrame(work: () => void): void {
  let is_done = false;
  const once = () => {
    if (is_done) return;
    is_done = true;
    clearTimeout(timer);
    work();
  };
  const timer = setTimeout(once, kFrameWait_ms);
  requestAnimationFrame(once);
}

// Calls `work` on an animation frame, however often it is asked to, and at most once in `interval_ms`
// (a function where that varies).
export function throttled(work: () => void, interval_ms: number | (() => number)): () => void {
  let last = -Infinity;
  let is_waiting = false;
  const frame = () => {
    const interval = typeof interval_ms === 'number' ? interval_ms : interval_ms();
    const left = last + interval - performance.now();
    if (left > 4) {
      setTimeout(() => onFrame(frame), left);
      return;
    }
    is_waiting = false;
    last = performance.now();
    work();
  };
  return () => {
    if (is_waiting) return;
    is_waiting = true;
    onFrame(frame);
  };
}

const kSvg = 'http://www.w3.org/2000/svg';

const icons = {
  check: 'M4 12.5l5 5L20 6.5',
  cross: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  target: 'M12 3v4M12 17v4M3 12h4M17 12h4M12 12h.01M17 12a5 5 0 1 1-10 0 5 5 0 0 1 10 0',
  follow: 'M12 3l7 17-7-4-7 4z',
  sun: 'M12 4V2M12 22v-2M4 12H2M22 12h-2M6 6L5 5M19 19l-1-1M18 6l1-1M5 19l1-1M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5',
  bell: 'M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15zM10 21h4',
  map: 'M9 4L3 6.5v13.5L9 17.5l6 2.5 6-2.5V4l-6 2.5zM9 4v13.5M15 6.5V20',
  layers: 'M12 3l9 5-9 5-9-5zM3 13l9 5 9-5',
  source: 'M5 20V10M12 20V4M19 20v-7',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
} as const;

export type Icon = keyof typeof icons;

export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(kSvg, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(kSvg, 'path');
  path.setAttribute('d', icons[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name: Icon, title: string, onclick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return el('button', { type: 'button', class: 'icon-button', title, 'aria-label': title, onclick, ...attributes }, icon(name));
}

export function nameButton(button: Element, title: string): void {
  setAttribute(button, 'title', title);
  setAttribute(button, 'aria-label', title);
}
