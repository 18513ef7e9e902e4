export type Bounds = [west: number, south: number, east: number, north: number];

export function widen(bounds: Bounds | null, longitude: number, latitude: number): Bounds {
  if (bounds === null) return [longitude, latitude, longitude, latitude];
  return [
    Math.min(bounds[0], longitude),
    Math.min(bounds[1], latitude),
    Math.max(bounds[2], longitude),
    Math.max(bounds[3], latitude),
  ];
}

// The box of most of the points: one sensor that says 0,0 must not make the city a dot. With few
// points all count.
export function boundsOfMost(points: readonly (readonly [number, number])[]): Bounds | null {
  if (points.length === 0) return null;
  const skip = points.length >= 50 ? Math.floor(points.length * 0.01) : 0;
  const edge = (axis: 0 | 1): [number, number] => {
    const sorted = points.map((p) => p[axis]).sort((a, b) => a - b);
    return [sorted[skip] ?? 0, sorted[sorted.length - 1 - skip] ?? 0];
  };
  const [west, east] = edge(0);
  const [south, north] = edge(1);
  return [west, south, east, north];
}

export function boundsOfFeatures(features: readonly GeoJSON.Feature[]): Bounds | null {
  let bounds: Bounds | null = null;
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [x, y] = part as unknown[];
    if (typeof x === 'number' && typeof y === 'number') bounds = widen(bounds, x, y);
    else part.forEach(visit);
  };
  for (const { geometry } of features) {
    if (geometry && 'coordinates' in geometry) visit(geometry.coordinates);
  }
  return bounds;
}
