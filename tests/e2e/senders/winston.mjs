// winston through winston-elasticsearch, and through its own HTTP transport.
import winston from 'winston'
import { ElasticsearchTransport } from 'winston-elasticsearch'

const { URL: node, TOKEN: token, EVENTS } = process.env
const url = new URL(node)
const elastic = new ElasticsearchTransport({
  level: 'info', index: 'winston-logs', flushInterval: 200, source: 'winston-test', retryLimit: 3,
  clientOpts: { node, auth: { username: 'sender', password: token } },
})
elastic.on('error', (error) => { console.error(error); process.exit(1) })
const http = new winston.transports.Http({ host: url.hostname, port: url.port, path: '/v1/ingest?sourcetype=winston', headers: { Authorization: `Bearer ${token}` } })
http.on('warn', (error) => { console.error(error); process.exit(1) })
for (const transport of [elastic, http]) {
  const logger = winston.createLogger({ level: 'info', transports: [transport] })
  for (let n = 0; n < Number(EVENTS); n++) logger.info(`winston ${n}`, { n, user: `u${n % 7}` })
}
// It ends by itself when both have sent everything.
