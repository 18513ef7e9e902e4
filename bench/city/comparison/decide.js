const p = msg.payload;
const vehicle = msg.topic.slice(13); // behind city/vehicle/
const state = context.get("state");
state.rows.push(
  `Vehicle,id=urn:ngsi-ld:Vehicle:${vehicle} speed=${p.speed},heading=${p.heading},lon=${p.longitude},lat=${p.latitude},` +
  `fuel=${p.fuel},status="${p.status}",trip=${Number(p.trip)} ${p.time}`);
if (state.rows.length >= 5000) state.flush();
if (p.speed > 120) {
  node.send([{ topic: "city/alert/high/too_fast", payload: { category: "traffic", severity: "high",
    alertSource: `urn:ngsi-ld:Vehicle:${vehicle}`, description: `speed ${p.speed}` } }, null]);
}
