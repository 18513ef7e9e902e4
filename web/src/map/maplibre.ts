import maplibre from 'maplibre-gl/dist/maplibre-gl-csp';
import worker_url from 'maplibre-gl/dist/maplibre-gl-csp-worker.js?url';
import 'maplibre-gl/dist/maplibre-gl.css';

maplibre.setWorkerUrl(worker_url);

export { maplibre };
