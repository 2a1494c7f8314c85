// The official client: its bulk helper, single documents, create with an id, and an update that is refused.
import { Client } from '@elastic/elasticsearch'

const { URL: node, TOKEN: token, EVENTS } = process.env
const count = Number(EVENTS)
const apiKey = Buffer.from(`sender:${token}`).toString('base64')
const client = new Client({ node, auth: { apiKey } })

const info = await client.info()
if (!info.version.number.startsWith('8.')) throw new Error(info.version.number)
if (!(await client.ping())) throw new Error('ping')
if (!(await client.indices.exists({ index: 'js-client' }))) await client.indices.create({ index: 'js-client' })

const documents = Array.from({ length: count }, (_, n) => ({
  '@timestamp': new Date(1772355600000 + n).toISOString(), message: `js ${n}`, n, user: { name: `u${n % 7}` }, text: '日本語 "quoted" \\ \n',
}))
const result = await client.helpers.bulk({
  datasource: documents,
  onDocument: (document) => ({ create: { _index: 'js-client', _id: `js-${document.n}` } }),
  onDrop: (dropped) => { throw new Error(JSON.stringify(dropped)) },
  flushBytes: 200000,
  refreshOnCompletion: true,
})
if (result.successful !== count || result.failed) throw new Error(JSON.stringify(result))

const one = await client.index({ index: 'js-client', document: { message: 'js one', n: count } })
if (one.result !== 'created') throw new Error(JSON.stringify(one))
const made = await client.create({ index: 'js-client', id: 'own', document: { message: 'js own', n: count + 1 } })
if (made._id !== 'own') throw new Error(JSON.stringify(made))

const mixed = await client.bulk({ operations: [{ update: { _index: 'js-client', _id: 'own' } }, { doc: { n: 0 } }, { index: { _index: 'js-client' } }, { message: 'js mixed', n: count + 2 }] })
if (!mixed.errors || mixed.items[0].update.status !== 400 || mixed.items[1].index.status !== 201) throw new Error(JSON.stringify(mixed))
try {
  await new Client({ node, auth: { apiKey: Buffer.from('sender:wrong').toString('base64') } }).info()
  throw new Error('a wrong token was taken')
} catch (error) {
  if (error.meta?.statusCode !== 401) throw error
}
