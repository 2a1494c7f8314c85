// pino through pino-elasticsearch.
import pino from 'pino'
import pinoElastic from 'pino-elasticsearch'

const { URL: node, TOKEN: token, EVENTS } = process.env
const stream = pinoElastic({ index: 'pino-logs', node, auth: { username: 'sender', password: token }, esVersion: 8, flushBytes: 20000, flushInterval: 200, opType: 'create' })
for (const event of ['insertError', 'unknown', 'error']) stream.on(event, (error) => { console.error(event, error); process.exit(1) })
const logger = pino({ level: 'info', timestamp: pino.stdTimeFunctions.isoTime }, stream)
for (let n = 0; n < Number(EVENTS); n++) logger.warn({ n, user: { name: `u${n % 7}` } }, `pino ${n}`)
stream.end()
