// The build of MapLibre for strict conditions: its worker is a file of its own instead of a blob.
declare module 'maplibre-gl/dist/maplibre-gl-csp' {
  const maplibre: typeof import('maplibre-gl');
  export default maplibre;
}
