// gelf-pro over UDP (packed, in chunks) and TCP.
import gelf from 'gelf-pro'

const { GELF_PORT, EVENTS } = process.env
const send = (adapter, text, extra) => new Promise((resolve, reject) => {
  const log = Object.assign(Object.create(Object.getPrototypeOf(gelf)), gelf)
  log.setConfig({ adapterName: adapter, adapterOptions: { host: '127.0.0.1', port: Number(GELF_PORT) }, fields: { facility: 'test' } })
  log.warning(text, extra, (error) => error ? reject(error) : resolve())
})
for (let n = 0; n < Number(EVENTS); n++) {
  await send('udp', `udp ${n}`, { n, filler: n % 10 === 0 ? Array.from({ length: 400 }, (_, i) => Math.sin(n * 400 + i)).join() : '' })
  await send('tcp', `tcp ${n}`, { n })
}
