// Sends a known set with hot-shots: statsd.mjs PORT udp|tcp
import StatsD from "hot-shots";

const [port, protocol] = process.argv.slice(2);
const client = new StatsD({ host: "127.0.0.1", port: Number(port), protocol, prefix: `hot.${protocol}.`, globalTags: { host: "hot-host" }, maxBufferSize: 1400,
  errorHandler: (error) => { console.error(error); process.exit(1); } });
for (let n = 0; n < 300; n++)
  client.increment("count", n, { n: String(n) });
client.gauge("gauge", 0.5);
client.timing("timer", 42);
client.histogram("histogram", 7);
client.distribution("distribution", 8);
client.set("set", "u1");
client.event("deployed", "version 2", { alert_type: "success" });
client.check("alive", client.CHECKS.WARNING, { message: "slow" });
await new Promise((done) => client.close(done));
