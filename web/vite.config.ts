/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

// The page may load nothing from elsewhere. `connect-src` names web sockets, since not every browser
// counts them to 'self'. Development needs inline scripts, so only the built page says it.
const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function securityPolicy(): Plugin {
  return {
    name: 'security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

// The licences of what is bundled ask to be passed on with it.
function licences(packages: Record<string, string>): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const escape = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
      const parts = Object.entries(packages).map(
        ([name, file]) =>
          `<h2>${name}</h2><pre>${escape(readFileSync(`node_modules/${name}/${file}`, 'utf8'))}</pre>`,
      );
      this.emitFile({
        type: 'asset',
        fileName: 'licences.html',
        source: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Licences</title>${parts.join('\n')}</html>\n`,
      });
    },
  };
}

const server = process.env['FICUS_URL'] ?? 'http://127.0.0.1:8080';
const paths = ['/health', '/types', '/entities', '/alerts', '/sources', '/rules', '/zones', '/map', '/departments', '/whoami', '/login', '/logout'];

export default defineConfig({
  plugins: [securityPolicy(), licences({ 'maplibre-gl': 'LICENSE.txt', uplot: 'LICENSE' })],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      output: { manualChunks: { map: ['maplibre-gl/dist/maplibre-gl-csp'], chart: ['uplot'] } },
    },
  },
  server: {
    proxy: {
      ...Object.fromEntries(paths.map((path) => [path, server])),
      '/live': { target: server, ws: true },
    },
  },
});
