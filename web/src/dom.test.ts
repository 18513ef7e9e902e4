import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttled } from './dom.ts';

describe('work on a frame', () => {
  let frames: (() => void)[] = [];

  beforeEach(() => {
    frames = [];
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (work: () => void) => frames.push(work));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('is done once a frame, however often it is asked for', () => {
    const work = vi.fn();
    const ask = throttled(work, 0);
    ask();
    ask();
    frames.shift()?.();
    vi.advanceTimersByTime(5000);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('is done though no frame is drawn', () => {
    const work = vi.fn();
    const ask = throttled(work, 500);
    ask();
    vi.advanceTimersByTime(1100);
    expect(work).toHaveBeenCalledTimes(1);
    ask();
    vi.advanceTimersByTime(3000);
    expect(work).toHaveBeenCalledTimes(2);
    frames.forEach((late) => late()); // come when nobody waits for them any more
    expect(work).toHaveBeenCalledTimes(2);
  });
});
