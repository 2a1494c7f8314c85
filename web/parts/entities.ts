/* Which fields name which kind of entity, for entity pages, graphs and the menu of a value. */
export const ENTITY_FIELDS: Record<string, string[]> = {
  user: ["user.name", "user.id", "user.email", "source.user.name", "user.target.name"],
  host: ["host.name", "host.hostname", "observer.hostname", "wallet.client"],
  ip: ["source.ip", "destination.ip", "client.ip", "server.ip", "host.ip"],
  wallet: ["wallet.from", "wallet.address", "hinomi.entity.wallet"],
  address: ["wallet.to", "exchange.address", "hinomi.entity.address"],
  asset: ["exchange.asset", "wallet.asset"],
  key: ["wallet.key_id", "exchange.api_key", "hinomi.entity.key"],
  transaction: ["wallet.txid", "exchange.withdrawal_id"],
  domain: ["dns.question.name", "destination.domain", "url.domain"],
  process: ["process.name", "process.executable"],
  file: ["file.path", "file.hash.sha256", "process.hash.sha256"],
};
const KIND = new Map(Object.entries(ENTITY_FIELDS).flatMap(([kind, fields]) => fields.map((field): [string, string] => [field, kind])));

export const entityKind = (field: string): string | null => KIND.get(field) ?? null;
/* Events that speak of it anywhere. */
export const mentions = (value: string): string => `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
