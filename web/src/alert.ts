// Alerts as the page needs them.
import { hasLocation, timeOf, type Entity } from './entity.ts';

export const kSeverities = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export const kStates = ['raised', 'acknowledged', 'assigned', 'cleared', 'closed'] as const;
export const kFilters = ['open', ...kStates, 'all'] as const;
export type Filter = (typeof kFilters)[number];

export interface Alert {
  readonly id: string;
  readonly status: string;
  readonly severity: string;
  readonly rule: string;
  readonly description: string;
  readonly department: string;
  readonly source_id: string;
  readonly issued_ms: number;
  readonly place: readonly [number, number] | null;
}

export function alertOf(entity: Entity): Alert {
  const words = (name: string) => {
    const value = entity.values[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    id: entity.id,
    status: words('status'),
    severity: words('severity') || 'medium',
    rule: words('rule'),
    description: words('description'),
    department: words('assignedTo'),
    source_id: words('alertSource'),
    issued_ms: timeOf(entity.values['dateIssued']) || entity.newest_ms,
    place: hasLocation(entity) ? [entity.longitude, entity.latitude] : null,
  };
}

// As the brain sees it: the condition holds and nobody has closed the alert.
export function isOpen(status: string): boolean {
  return status !== 'cleared' && status !== 'closed';
}

export function passes(status: string, filter: Filter): boolean {
  if (filter === 'all') return true;
  return filter === 'open' ? isOpen(status) : status === filter;
}

// Which steps the brain allows in a state (src/model/alert_state.h, is_allowed).
export function allowedSteps(status: string): { acknowledge: boolean; assign: boolean; close: boolean } {
  return { acknowledge: status === 'raised', assign: isOpen(status), close: status !== 'closed' };
}

export function newestFirst(a: Alert, b: Alert): number {
  return b.issued_ms - a.issued_ms || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
