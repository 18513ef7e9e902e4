// Node-RED as a part of bench/city/compare: no editor, only what the flow needs.
module.exports = {
  flowFile: "flow.json",
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.COMPARE_PORT),
  disableEditor: true,
  credentialSecret: false,
  mqttReconnectTime: 500,
  exportGlobalContextKeys: false,
  logging: { console: { level: "warn", metrics: false, audit: false } },
  functionExternalModules: false,
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
};
