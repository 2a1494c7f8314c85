/* What the search bar can complete and colour: commands with their pattern, functions, and words inside commands. */
export const COMMANDS: Record<string, string> = {
  abstract: "", accum: "field", addcoltotals: "", addinfo: "", addtotals: "row=t col=f", append: "[ search … ]", appendcols: "[ search … ]",
  appendpipe: "[ … ]", bin: "_time span=5m", bucket: "_time span=5m", chart: "count over x by y", collect: "index=…", compare: "…",
  convert: "ctime(field)", datamodel: "", dedup: "field", delta: "field", eval: "name=expression", eventcount: "", eventstats: "count by field",
  fieldformat: "name=expression", fields: "field, field", fieldsummary: "", filldown: "field", fillnull: "value=0 field", foreach: "* [ … ]",
  format: "", from: "", gentimes: "", head: "10", highlight: "", inputlookup: "name", iplocation: "source.ip", join: "field [ search … ]",
  loadjob: "", lookup: "name field OUTPUT field", makemv: "delim=\",\" field", makeresults: "count=1", map: "", metadata: "", mstats: "",
  multisearch: "", mvcombine: "field", mvexpand: "field", noop: "", nomv: "field", outlier: "field", outputlookup: "name", patterns: "",
  predict: "", process: "", rangemap: "field=…", rare: "field", regex: "field=\"…\"", rename: "old AS new", replace: "a WITH b IN field",
  require: "", rest: "", return: "field", reverse: "", rex: "field=_raw \"(?<name>…)\"", savedsearch: "", search: "field=value",
  sendalert: "", sendemail: "", set: "", sort: "-field", spath: "path=…", stats: "count by field", strcat: "", streamstats: "count by field",
  table: "field, field", tags: "", tail: "10", timechart: "span=5m count by field", top: "limit=10 field", transaction: "field maxspan=5m",
  transpose: "", trendline: "", tstats: "count where … by field", union: "", uniq: "", untable: "", where: "expression", xmlkv: "", xyseries: "x y z",
};

export const AGGREGATES = new Set(["count", "dc", "distinct_count", "estdc", "sum", "sumsq", "avg", "mean", "min", "max", "range", "mode", "median",
  "perc95", "perc99", "p50", "p90", "p95", "p99", "stdev", "stdevp", "var", "varp", "first", "last", "earliest", "latest", "earliest_time",
  "latest_time", "list", "values", "rate", "per_second", "per_minute", "per_hour"]);

export const FUNCTIONS = new Set(["abs", "case", "ceiling", "cidrmatch", "coalesce", "exact", "exp", "floor", "if", "in", "isnotnull", "isnull", "isnum",
  "isstr", "json_extract", "json_keys", "json_object", "json_valid", "len", "like", "ln", "log", "lower", "ltrim", "match", "md5", "mvappend",
  "mvcount", "mvdedup", "mvfilter", "mvfind", "mvindex", "mvjoin", "mvmap", "mvrange", "mvsort", "mvzip", "now", "null", "nullif", "pow", "printf",
  "random", "relative_time", "replace", "round", "rtrim", "searchmatch", "sha1", "sha256", "sha512", "spath", "split", "sqrt", "strftime",
  "strptime", "substr", "time", "tonumber", "tostring", "trim", "typeof", "upper", "urldecode", "validate"]);

export const KEYWORDS = new Set(["AND", "OR", "NOT", "BY", "AS", "OVER", "WHERE", "IN", "WITH", "OUTPUT", "OUTPUTNEW", "LIKE", "XOR", "by", "as", "over", "where"]);

export type Kind = "command" | "function" | "keyword" | "string" | "number" | "comment" | "pipe" | "macro" | "field";
export interface Token { from: number; to: number; kind: Kind }

const TOKEN = /```[\s\S]*?(?:```|$)|`[^`]*`?|"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|[|[\]]|[@\w.{}\-:*$]+|./gsu;

/* A light lexer for colour only; the server's parser decides what the words mean. */
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let expectCommand = false;
  for (const match of text.matchAll(TOKEN)) {
    const word = match[0];
    const from = match.index;
    const to = from + word.length;
    const add = (kind: Kind) => out.push({ from, to, kind });
    if (word.startsWith("```")) add("comment");
    else if (word[0] === "`") { add("macro"); expectCommand = false; }
    else if (word[0] === '"') add("string");
    else if (word[0] === "'") add("field");
    else if (word === "|" || word === "[") { add("pipe"); expectCommand = true; }
    else if (word === "]") add("pipe");
    else if (/^\s/.test(word)) continue;
    else if (expectCommand) { if (COMMANDS[word.toLowerCase()] !== undefined) add("command"); expectCommand = false; }
    else if (KEYWORDS.has(word)) add("keyword");
    else if (/^-?\d+(\.\d+)?$/.test(word)) add("number");
    else if (/^\s*\(/.test(text.slice(to, to + 8)) && (FUNCTIONS.has(word.toLowerCase()) || AGGREGATES.has(word.toLowerCase()))) add("function");
    else if (AGGREGATES.has(word) && /\|\s*\w*(stats|chart)\b[^|]*$/.test(text.slice(0, from))) add("function");
    else if (/^\s*(!?=|[<>])/.test(text.slice(to, to + 4))) add("field");
  }
  return out;
}
