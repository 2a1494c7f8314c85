// The official client over TLS: believes CA alone, and shows CERT and KEY when they are given. "refused" when it cannot connect.
import { readFileSync } from 'node:fs'
import { Client } from '@elastic/elasticsearch'

const { URL: node, TOKEN: token, EVENTS, CA, CERT, KEY, INDEX } = process.env
const tls = { ca: readFileSync(CA), ...(CERT ? { cert: readFileSync(CERT), key: readFileSync(KEY) } : {}) }
const client = new Client({ node, auth: { username: 'sender', password: token }, tls, maxRetries: 0 })

try {
  await client.info()
} catch (error) {
  console.log('refused', error.name, error.message)
  process.exit(0)
}
const result = await client.helpers.bulk({
  datasource: Array.from({ length: Number(EVENTS) }, (_, n) => ({ message: `tls ${n}`, n })),
  onDocument: () => ({ create: { _index: INDEX } }),
  onDrop: (dropped) => { throw new Error(JSON.stringify(dropped)) },
})
if (result.successful !== Number(EVENTS)) throw new Error(JSON.stringify(result))
console.log('sent')
