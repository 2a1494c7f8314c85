// The official client over TLS: believes CA alone, and shows CERT and KEY when they are given. "refused" when it cannot connect.
import { readFileSync } from 'node:fs'
import { Client } from '@elastic/elasticsearch'

const { URL: node, TOKEN: token, EVENTS, CA, CERT, KEY, INDEX } = process.env
const tls = { ca: readFileSync(CA), ...(CERT ? { cert: readFileSync(CERT), key: readFileSync(KEY) } : {}) }
const client = new Client({ node, auth: { username: 'sender', password: token }, tls, maxRetries: 0 })

// A connection that ends in the middle of the handshake may leave the client without an answer and without an error, and node
// would end without a word.
const silent = setTimeout(() => { console.log('refused', 'without a word'); process.exit(0) }, 20000)
try {
  await client.info()
} catch (error) {
  console.log('refused', error.name, error.message)
  process.exit(0)
}
clearTimeout(silent)
const result = await client.helpers.bulk({
  datasource: Array.from({ length: Number(EVENTS) }, (_, n) => ({ message: `tls ${n}`, n })),
  onDocument: () => ({ create: { _index: INDEX } }),
  onDrop: (dropped) => { throw new Error(JSON.stringify(dropped)) },
})
if (result.successful !== Number(EVENTS)) throw new Error(JSON.stringify(result))
console.log('sent')
