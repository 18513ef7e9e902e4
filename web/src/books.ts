import type { SourceBooks } from './api.ts';

// How many messages of a source are not accounted for; 0 where the books balance. Every message
// received ends in exactly one of these five.
export function unaccounted(s: SourceBooks): number {
  return s.received - (s.applied + s.late + s.duplicate + s.quarantined + s.refused);
}
