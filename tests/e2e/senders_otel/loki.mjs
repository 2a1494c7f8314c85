// Sends 500 lines with winston-loki: loki.mjs URL TOKEN protobuf|json
import winston from "winston";
import LokiTransport from "winston-loki";

const [url, token, encoding] = process.argv.slice(2);
let failed = null;
const transport = new LokiTransport({
  host: url, headers: { Authorization: `Bearer ${token}` }, json: encoding === "json", labels: { app: `winston-${encoding}`, host: "winston-host" },
  interval: 1, onConnectionError: (error) => { failed = error; }, format: winston.format.printf(({ message }) => message),
});
const logger = winston.createLogger({ transports: [transport] });
for (let n = 0; n < 500; n++)
  logger.info(`line ${n} of winston-${encoding}`, { labels: { n: String(n % 10) } });
await new Promise((done) => setImmediate(done));
await transport.flush();
if (failed) {
  console.error(failed);
  process.exit(1);
}
process.exit(0);
