// The live stream: one web socket that is opened again whenever it is lost.
import type { KeyValues, SourceBooks } from './api.ts';

export type LiveMessage =
  | { kind: 'hello'; simulated: boolean; time: string }
  | { kind: 'entities'; entities: KeyValues[] }
  | { kind: 'alerts'; alerts: KeyValues[] }
  | { kind: 'sources'; sources: SourceBooks[] }
  | { kind: 'reload' } // types, zones, rules ... have changed
  | { kind: 'error'; message: string };

export interface LiveHandlers {
  on_connecting(): void;
  on_open(): void;
  on_message(message: LiveMessage): void;
  on_lost(retry_in_ms: number): void;
}

const kRetryMin_ms = 500;
const kRetryMax_ms = 15_000;
// The server says how its sources do every 2 s; silence of this length means that the line is dead.
const kSilenceMax_ms = 12_000;

// Doubles with every failure; up to a quarter is left to chance, so that not all screens of a room
// come back in the same moment. `chance`: 0..1.
export function retryDelay(failures: number, chance: number): number {
  const whole = Math.min(kRetryMax_ms, kRetryMin_ms * 2 ** Math.min(failures, 10));
  return Math.round(whole * (0.75 + 0.25 * chance));
}

export class LiveConnection {
  private socket: WebSocket | null = null;
  private failures = 0;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly handlers: LiveHandlers,
  ) {}

  open(): void {
    clearTimeout(this.retry);
    this.handlers.on_connecting();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.watch();
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.socket !== socket || typeof event.data !== 'string') return;
      this.watch();
      const message = JSON.parse(event.data) as LiveMessage;
      if (message.kind === 'hello') {
        this.failures = 0;
        this.handlers.on_open();
      }
      this.handlers.on_message(message);
    };
    socket.onclose = () => this.lose(socket);
  }

  // As if the line had broken: used when loading failed, so that everything starts anew.
  restart(): void {
    if (this.socket) this.lose(this.socket);
  }

  private watch(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.restart(), kSilenceMax_ms);
  }

  private lose(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    clearTimeout(this.silence);
    socket.close();
    const delay = retryDelay(this.failures, Math.random());
    this.failures += 1;
    this.handlers.on_lost(delay);
    this.retry = setTimeout(() => this.open(), delay);
  }
}
