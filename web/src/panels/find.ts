import { hasLocation, nameOf, type Entity } from '../entity.ts';

export interface Search {
  readonly words: string;
  readonly only_unlocated: boolean;
}

// The first `most` entities that fit, ordered by id, and how many fit.
export function find(entities: Iterable<Entity>, search: Search, most: number): { found: Entity[]; total: number } {
  const words = search.words.trim().toLowerCase();
  const found: Entity[] = [];
  for (const entity of entities) {
    if (search.only_unlocated && hasLocation(entity)) continue;
    if (words !== '' && !entity.id.toLowerCase().includes(words) && !nameOf(entity).toLowerCase().includes(words)) continue;
    found.push(entity);
  }
  found.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return { found: found.slice(0, most), total: found.length };
}
