import type { Theme } from '../settings.ts';

// Colours of entity types. Red, orange and yellow are left to alerts.
const kTypes: Record<Theme, readonly string[]> = {
  dark: ['#35c2b2', '#6aa8ff', '#b594ff', '#9fce4a', '#f08cc6', '#57cdea', '#d0bd8b', '#a9b8c9', '#56c983', '#8d9bff'],
  light: ['#0d8478', '#1f6fd6', '#7a4fd0', '#5b8412', '#bd3f8c', '#0f85a3', '#84703a', '#5b6b7d', '#20834a', '#4f5fd0'],
};

export const kSeverityColours: Record<Theme, Record<string, string>> = {
  dark: { informational: '#8aa4bf', low: '#6fb1e8', medium: '#f0c148', high: '#ff9040', critical: '#ff5a5f' },
  light: { informational: '#64798f', low: '#2f7fc1', medium: '#b98900', high: '#d9650b', critical: '#d3262e' },
};

export interface MapColours {
  ground: string;
  street: string;
  street_major: string;
  rail: string;
  water: string;
  water_area: string;
  coast: string;
  green_area: string;
  building: string;
  zone: string;
  halo: string;
  dot_edge: string;
}

export const kMapColours: Record<Theme, MapColours> = {
  dark: {
    ground: '#10171f',
    street: '#2a3643',
    street_major: '#3d4d5e',
    rail: '#3a3f55',
    water: '#1f4a66',
    water_area: '#132c3f',
    coast: '#3f6f8f',
    green_area: '#14261f',
    building: '#182129',
    zone: '#7fa6d6',
    halo: '#ffffff',
    dot_edge: '#0b1117',
  },
  light: {
    ground: '#f2f4f5',
    street: '#d3d9df',
    street_major: '#b9c3cd',
    rail: '#c4bccb',
    water: '#8fbcd9',
    water_area: '#d2e4ef',
    coast: '#6c9dbd',
    green_area: '#e2ecdf',
    building: '#e6e9ec',
    zone: '#3f6fa8',
    halo: '#14202b',
    dot_edge: '#ffffff',
  },
};

export function typeColour(index: number, theme: Theme): string {
  const colours = kTypes[theme];
  return colours[index % colours.length] ?? '#888888';
}
