// 204: stored. A refused point would be refused again; all else is tried again, so that a store that is away loses nothing.
if (msg.statusCode === 204 || msg.statusCode === 400) return null;
const again = { payload: msg.lines, lines: msg.lines };
setTimeout(() => node.send(again), 300);
