// Rows go to the store 5,000 at a time, or ten times a second.
const state = { rows: [] };
state.flush = () => {
  if (state.rows.length === 0) return;
  const lines = state.rows.join("\n");
  state.rows = [];
  node.send([null, { payload: lines, lines }]);
};
context.set("state", state);
setInterval(state.flush, 100);
