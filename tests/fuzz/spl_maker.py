"""Random events, and random valid searches of them (tests/fuzz/fuzz_search.py). The same seed makes the same."""
import json
import random

USERS = ["alice", "bob", "Carol", "dave@example.jp", "田中", "svc-backup", "eve mallory", "O'Neil"]
HOSTS = ["web-1", "web-2", "db-1", "ゲート"]
WORDS = ["failed", "Error", "login", "withdrawal", "出金", "承認", "timeout", "10.0.0.1", "user=bob", "a.b-c", "済み", "WARN"]
PATHS = ["/api/v1/orders", "/login", "/api/v1/withdraw?amount=5", "C:\\Temp\\x.exe", "/a/b/c", ""]
STEP_S = 37
START_S = 1717286400  # 2024-06-02T00:00:00Z


def event(rng, number, spread, ties):
    """ties: some events have the same time. What earliest() and latest() take of those is left open."""
    e = {"@timestamp": START_S + (number if not ties or rng.random() < 0.8 else number // 4 * 4) * spread, "id": number}
    def maybe(name, chance, make):
        if rng.random() < chance:
            e[name] = make()
    maybe("user", 0.9, lambda: rng.choice(USERS))
    maybe("host.name", 0.95, lambda: rng.choice(HOSTS))
    maybe("src.ip", 0.8, lambda: f"10.{rng.randrange(3)}.{rng.randrange(4)}.{rng.randrange(1, 6)}" if rng.random() < 0.9 else f"2001:db8::{rng.randrange(9)}")
    maybe("amount", 0.7, lambda: Number(f"{rng.randrange(-5, 500)}.{rng.randrange(100):02}"))
    maybe("n", 0.85, lambda: rng.randrange(-3, 12))
    maybe("big", 0.4, lambda: rng.choice([2**63 - 1, -2**63, 2**53 + 1, 10**15, rng.randrange(10**12)]))
    maybe("ratio", 0.5, lambda: rng.choice([0.1, 1e-7, 3.25, 1e10, -0.5]))
    maybe("status", 0.9, lambda: rng.choice([200, "200", 404, 500, "abc", "007", "", 200]))
    maybe("tags", 0.6, lambda: [rng.choice("abcdeあ") for _ in range(rng.randrange(1, 5))])
    maybe("nums", 0.4, lambda: [rng.randrange(20) for _ in range(rng.randrange(1, 4))])
    maybe("empty", 0.3, lambda: "")
    maybe("flag", 0.5, lambda: rng.random() < 0.5)
    maybe("message", 0.9, lambda: " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 6))))
    maybe("path", 0.7, lambda: rng.choice(PATHS))
    maybe("kv", 0.5, lambda: ",".join(str(rng.randrange(30)) for _ in range(rng.randrange(0, 5))))
    maybe("day", 0.4, lambda: f"2024-0{rng.randrange(1, 9)}-{rng.randrange(10, 29)}")
    maybe("js", 0.4, lambda: json.dumps({"a": rng.randrange(5), "b": {"c": rng.choice(USERS)}, "l": [rng.randrange(3) for _ in range(2)]}, ensure_ascii=False) if rng.random() < 0.9 else "{broken")
    return e


class Number(str):
    """A number as it is written, with all its digits."""


def line(e):
    def text(v):
        if isinstance(v, list):
            return "[" + ",".join(map(text, v)) + "]"
        return v if isinstance(v, Number) else json.dumps(v, ensure_ascii=False)
    return "{" + ",".join(json.dumps(k) + ":" + text(v) for k, v in e.items()) + "}"


TABLE = [{"user": u, "team": ["red", "blue", None][i % 3], "level": i} for i, u in enumerate(USERS[:6] + ["bob"])]

NUM = ["{nf}"] * 6 + ["{int}", "{dec}", "({N}+{N})", "({N}-{N})", "({N}*{N})", "({N}/{N})", "({N}%{int})", "abs({N})", "round({N},{digit})", "round({N})",
       "floor({N})", "ceil({N})", "len({T})", "mvcount({M})", "min({N},{N})", "max({N},{N})", "if({B},{N},{N})", "coalesce({N},{int})", "tonumber({T})",
       "case({B},{N},{B},{N})", "nullif({N},{N})", "sqrt(abs({N}))", "pow({int},{digit})", "strptime({T},\"%Y-%m-%d\")", "mvfind({M},\"{re}\")", "-{nf}", "tonumber({T},16)",
       "sum({N},{N},{int})", "avg({N},{N})", "mvcount(split({T},\",\"))", "exact({N})", "ln(abs({N})+1)", "bit_and({int},{digit})"]
TEXT = ["{tf}"] * 6 + ["\"{lit}\"", "({T}.{T})", "({T}.{N})", "upper({T})", "lower({T})", "substr({T},{digit},{digit})", "substr({T},-{digit})", "replace({T},\"{re}\",\"<\\\\1>\")",
        "trim({T})", "trim({T},\"ae\")", "tostring({N})", "tostring({N},\"commas\")", "tostring({int},\"hex\")", "tostring({N},\"duration\")", "if({B},{T},{T})", "coalesce({T},\"{lit}\")",
        "mvindex({M},{digit})", "mvindex({M},-1)", "mvjoin({M},\";\")", "md5({T})", "typeof({N})", "typeof({T})", "typeof({M})", "urldecode({T})", "printf(\"%s|%05.2f\",{T},{N})",
        "json_extract({T},\"b.c\")", "spath({T},\"a\")", "ltrim({T})", "case({B},{T},true(),\"{lit}\")", "nullif({T},\"{lit}\")", "tostring({B})", "strftime({int}*86400,\"%Y-%m-%d %H:%M\")"]
MV = ["{mf}"] * 5 + ["split({T},\",\")", "split({T},\" \")", "mvappend({T},{T})", "mvappend({M},{N})", "mvdedup({M})", "mvsort({M})", "mvrange(1,{digit})", "mvzip({M},{M})",
      "mvindex({M},0,{digit})", "mvmap({mf},upper({mf}))", "mvmap({mf},{mf}.\"x\")", "mvfilter(match({mf},\"{re}\"))", "split(mvjoin({M},\",\"),\",\")"]
BOOL = ["{N}>{N}", "{N}<={int}", "{N}={int}", "{N}!={N}", "{T}=\"{lit}\"", "{T}!={T}", "{T}>\"{lit}\"", "{nf}>{dec}", "{nf}<{int}", "{tf}=\"{lit}\"", "like({T},\"{like}\")", "{tf} LIKE \"{like}\"",
        "match({T},\"{re}\")", "isnull({nf})", "isnotnull({tf})", "in({T},\"{lit}\",\"{lit}\")", "{nf} IN ({int},{int})", "cidrmatch(\"10.0.0.0/15\",{tf})", "NOT ({B})", "({B} AND {B})", "({B} OR {B})",
        "({B} XOR {B})", "isnum({T})", "isstr({N})", "isint({N})", "{mf}=\"a\"", "mvcount({M})>{digit}", "isnull({M})", "{tf}={tf}", "{nf}={tf}"]
AGG = ["count", "count({any})", "dc({any})", "sum({nf})", "avg({nf})", "min({any})", "max({any})", "range({nf})", "values({any})", "list({any})", "first({any})", "last({any})", "mode({any})", "median({nf})",
       "perc90({nf})", "p25({nf})", "stdev({nf})", "var({nf})", "sumsq({nf})", "count(eval({B}))", "sum(eval({N}))", "estdc({any})", "varp({nf})", "dc(eval({T}))"]
TIMED = ["earliest({any})", "latest({any})", "earliest_time({any})", "latest_time({any})", "rate({nf})"]


class Maker:
    def __init__(self, seed, rows, ties=False):
        self.rng = random.Random(seed)
        self.ties = self.had_ties = ties
        self.rows = rows
        self.made = 0
        self.reset()

    def reset(self):
        self.num = ["id", "n", "n", "amount", "amount", "big", "ratio", "status"]
        self.text = ["user", "user", "host", "src.ip", "status", "message", "path", "kv", "day", "js", "empty", "flag", "note"]
        self.mv = ["tags", "nums"]
        self.timed = True
        self.ties = self.had_ties

    def table(self, num=(), text=(), mv=(), timed=False):
        self.num, self.text, self.mv, self.timed = list(num), list(text), list(mv), timed

    def pick(self, *lists):
        names = [n for names in lists for n in names]
        return self.rng.choice(names) if names else "nothing"

    def fresh(self):
        self.made += 1
        return f"x{self.made}"

    def fill(self, template, depth):
        """A template with its {places} filled, expressions at most depth deep."""
        out, at = "", 0
        while (start := template.find("{", at)) >= 0:
            end = template.find("}", start)
            out += template[at:start] + self.place(template[start + 1:end], depth)
            at = end + 1
        return out + template[at:]

    def place(self, kind, depth):
        r = self.rng
        lists = {"N": NUM, "T": TEXT, "M": MV, "B": BOOL}
        if kind in lists:
            shallow = {"N": ["{nf}", "{int}", "{dec}"], "T": ["{tf}", "\"{lit}\""], "M": ["{mf}"], "B": BOOL[7:10]}
            return self.fill(r.choice(lists[kind] if depth > 0 else shallow[kind]), depth - 1)
        if kind in ("nf", "tf", "mf", "any"):
            name = self.pick(*{"nf": [self.num], "tf": [self.text], "mf": [self.mv], "any": [self.num, self.text, self.mv]}[kind])
            return name if name.isalnum() else f"'{name}'" if kind != "any" else f'"{name}"' if " " in name else name
        return {"int": lambda: str(r.choice([0, 1, 2, 3, 5, 7, 10, 100, 200, 404, r.randrange(self.rows)])), "dec": lambda: r.choice(["0.5", "12.34", "-1.005", "100.00", "0.1"]),
                "digit": lambda: str(r.randrange(5)), "lit": lambda: r.choice(USERS[:6] + HOSTS + ["200", "abc", "", "a", "true", "007", "failed"]),
                "re": lambda: r.choice(["a", "^[a-c]", "(\\\\d+)", "o.*e", "(?i)ERROR", "[あ-ん]", "(l)", "\\\\.", "^$", "(a|b)+c"]),
                "like": lambda: r.choice(["%a%", "al%", "_ob", "%出%", "%", "2%", "%.%"])}[kind]()

    # ---- search terms ----

    def term(self, depth=2):
        r, f = self.rng, self.rng.random()
        name = self.pick(self.text, self.num, self.mv)
        if depth and f < 0.12:
            return f"({self.term(depth - 1)} OR {self.term(depth - 1)})"
        if depth and f < 0.2:
            return f"NOT {self.term(depth - 1)}" if r.random() < 0.5 else f"NOT ({self.term(depth - 1)} {self.term(depth - 1)})"
        if f < 0.28 and self.timed:
            return r.choice(WORDS + ["\"failed Error\"", "fail*", "*out", "TERM(10.0.0.1)", "CASE(Error)", "CASE(error)", "出*", "\"login failed\"", "al*ce"])
        if f < 0.4:
            return f"{self.pick(self.num)}{r.choice(['>', '<', '>=', '<=', '=', '!='])}{self.place(r.choice(['int', 'dec']), 0)}"
        if f < 0.47:
            return f"{name} IN ({r.choice(USERS[:3])}, {self.place('int', 0)}, b*)"
        if f < 0.49:  # so many that they are looked for by a hash
            values = [self.place(r.choice(["lit", "int", "dec"]), 0) for _ in range(r.randrange(12, 40))] + r.sample(["200.0", "ALICE", "10.0.0.1", "２００", "carol", "CAROL*"], 3)
            return f"{name} IN ({', '.join(json.dumps(v, ensure_ascii=False) for v in values)})"
        if f < 0.5 and depth == 2 and self.timed:
            other = self.pick(self.text, self.num)
            return f"[search {self.term(0)} | stats count by {name}{' ' + other if other != name and r.random() < 0.4 else ''} | fields - count]"
        if f < 0.6:
            return f"{name}=*" if r.random() < 0.7 else f"{name}!=\"\""
        if f < 0.65:
            return "src.ip=10.0.0.0/14" if r.random() < 0.5 else "src.ip!=10.1.0.0/16"
        value = r.choice([self.place("lit", 0), self.place("lit", 0), r.choice(["a*", "*e*", "*1", "2*0", "*", "/api*", "c"]), self.place("int", 0)])
        return f"{name}{r.choice(['=', '=', '=', '!='])}\"{value}\""

    def terms(self):
        return " ".join(self.term() for _ in range(self.rng.choice([1, 1, 1, 2]))) if self.rng.random() < 0.75 else "*"

    # ---- commands ----

    def aggregates(self, most=3):
        used, out = [], []
        for _ in range(self.rng.randrange(1, most + 1)):
            name = self.fresh()
            template = self.rng.choice(AGG + (TIMED if self.timed and not self.ties else []))
            out.append(self.fill(template, 1) + f" as {name}")
            # nor min() and max() of numbers and text: what is read first decides which of the two orders counts
            if template[:3] not in ("std", "var", "rat", "min", "max") and template[:5] != "sumsq":  # doubles, whose last digits go by the order of rows
                used.append(name)
        return " ".join(out), used

    def by(self, most=2):
        names = list(dict.fromkeys(self.pick(self.text, self.text, self.num, self.mv) for _ in range(self.rng.randrange(0, most + 1))))
        return names, (" by " + " ".join(names) if names else "")

    def c_stats(self):
        aggs, used = self.aggregates()
        names, by = self.by(3)
        self.table(num=used, text=names + used)
        return f"stats {aggs}{by}"

    def c_eventstats(self):
        aggs, used = self.aggregates(2)
        _, by = self.by()
        self.num += used
        return f"eventstats {aggs}{by}"

    def c_streamstats(self):
        aggs, used = self.aggregates(2)
        _, by = self.by()
        options = self.rng.choice(["", "", "window=3 ", "current=f ", "window=2 current=f ", "window=3 global=f ", "reset_on_change=t " if by else ""])
        if "values" not in aggs and "list" not in aggs:
            self.num += used
        return f"streamstats {options}{aggs}{by}"

    def c_chart(self):
        rows, columns = self.pick(self.text, self.num), self.pick(self.text)
        if rows == columns or not self.text:
            return self.c_stats()
        options = self.rng.choice(["", "limit=2 ", "limit=0 ", "useother=f ", "usenull=f "])
        agg = self.fill(self.rng.choice(["count", "sum({nf})", "avg({nf})", "max(id)", "dc({any})", "values({any})", "first({any})", "list({any})", "mode({any})", "last({nf})"]), 0)
        self.table(text=[rows])
        return f"chart {options}{agg} over {rows} by {columns}"

    def c_timechart(self):
        if not self.timed:
            return self.c_stats()
        agg = self.fill(self.rng.choice(["count", "sum({nf})", "avg({nf})", "dc({any})", "min(n)", "count count({any})", "perc50({nf})", "last({any})", "list({nf})"] + TIMED[:2] * (not self.ties)), 0)
        by = "" if " " in agg or self.rng.random() < 0.4 else f" by {self.pick(self.text)}"
        span = self.rng.choice(["", "span=1h ", "span=1d ", "span=15m ", "bins=20 ", "span=6h limit=2 ", "span=1d useother=f "])
        self.table(text=["_time"], timed=True)
        return f"timechart {span}{agg}{by}"

    def c_top(self):
        names, _ = self.by(2)
        names = names or [self.pick(self.text)]
        by = self.pick(self.text)
        tail = f" by {by}" if self.rng.random() < 0.3 and by not in names else ""
        self.table(num=["count", "percent"], text=names + ([by] if tail else []))
        return f"{self.rng.choice(['top', 'rare'])} {self.rng.choice(['', 'limit=3 ', 'limit=0 ', 'showperc=f '])}{' '.join(names)}{tail}"

    def c_sort(self):
        keys = [self.rng.choice(["", "-", "+"]) + self.rng.choice(["", "", "str({})", "num({})", "ip({})"]) for _ in range(self.rng.randrange(1, 4))]
        keys = [k.replace("{}", name) if "(" in k else k + name for k, name in ((k, self.pick(self.text, self.num, self.mv)) for k in keys)]
        return f"sort {self.rng.choice(['', '0 ', '5 ', '100 '])}{', '.join(keys)}"

    def c_dedup(self):
        names, _ = self.by(2)
        names = names or [self.pick(self.text)]
        return f"dedup {self.rng.choice(['', '2 '])}{' '.join(names)}{self.rng.choice(['', '', ' keepempty=t', ' consecutive=t', ' keepevents=t', f' sortby -{self.pick(self.num)}'])}"

    def c_eval(self):
        out = []
        for _ in range(self.rng.randrange(1, 3)):
            kind, name = self.rng.choice("NNTTM"), self.fresh()
            out.append(f"{name}={self.place(kind, 3)}")
            {"N": self.num, "T": self.text, "M": self.mv}[kind].append(name)
        return "eval " + ", ".join(out)

    def c_where(self):
        return f"where {self.place('B', 3)}"

    def c_search(self):
        return f"search {self.terms()}"

    def c_rex(self):
        name, field = self.fresh(), self.pick(self.text)
        if self.rng.random() < 0.2:
            return f"rex field={field} mode=sed \"s/[aeiou]/_/g\""
        self.text.append(name)
        return f"rex field={field} {self.rng.choice(['', 'max_match=0 ', 'max_match=2 '])}\"{self.rng.choice(['(?<@>[a-z]+)', '(?<@>[0-9]+)', '^(?<@>.).*', '=(?<@>[^ ]*)'])}\"".replace("@", name)

    def c_fields(self):
        keep = sorted({self.pick(self.text, self.num, self.mv) for _ in range(5)} | {"id"} if "id" in self.num else {self.pick(self.text, self.num)})
        command = self.rng.choice(["fields", "table", "fields -"])
        if command == "fields -":
            gone = keep[:2]
            self.num, self.text, self.mv = ([n for n in names if n not in gone] for names in (self.num, self.text, self.mv))
            return f"fields - {' '.join(gone)}"
        self.table([n for n in self.num if n in keep], [n for n in self.text if n in keep], [n for n in self.mv if n in keep], self.timed and command == "fields")
        return f"{command} {' '.join(keep)}"

    def c_rename(self):
        old, new = self.pick(self.text, self.num), self.fresh()
        self.num, self.text = ([new if n == old else n for n in names] for names in (self.num, self.text))
        return f"rename \"{old}\" as {new}"

    def c_mv(self):
        r, name = self.rng, self.pick(self.mv)
        if r.random() < 0.4:
            field = self.pick(self.text)
            self.mv.append(field)
            return f"makemv delim=\"{r.choice([',', ' ', '/'])}\" {r.choice(['', 'allowempty=t '])}{field}"
        return f"{r.choice(['mvexpand', 'mvexpand', 'nomv', 'mvcombine'])} {name}"

    def c_sub(self):
        r, state = self.rng, (self.num, self.text, self.mv, self.timed)
        self.reset()
        sub = f"search {self.terms()} | head 30" if r.random() < 0.5 else f"search {self.terms()} | stats count as c{r.randrange(3)} by user"
        self.num, self.text, self.mv, self.timed = state
        self.ties = True  # joined rows have the times of others
        which = r.choice(["append", "appendcols", "join", "join", "union", "appendpipe"])
        if which == "appendpipe":
            return f"appendpipe [stats count as total{r.randrange(2)} max({self.pick(self.num)}) as most]" if r.random() < 0.7 else "appendpipe [where 1=0]"
        if which == "join":
            return f"join {r.choice(['', 'type=left ', 'max=0 ', 'type=outer max=2 '])}user [{sub}]"
        return f"{which} [{sub}]"

    def c_lookup(self):
        self.text.append("team")
        self.num.append("level")
        return f"lookup teams user {self.rng.choice(['', 'OUTPUT team', 'OUTPUTNEW team level', 'OUTPUT level as level'])}"

    def c_transaction(self):
        if not self.timed:
            return self.c_stats()
        self.num = ["duration", "eventcount"]
        options = self.rng.choice(["", "maxspan=1h", "maxpause=10m", "maxevents=5", "startswith=\"login\"", "endswith=\"failed\"", "keepevicted=t maxspan=30m"])
        return f"transaction {self.rng.choice(['user', 'host', 'user host'])} {options} mvlist=f"

    def c_small(self):
        r = self.rng
        num, text = self.pick(self.num), self.pick(self.text)
        new = self.fresh()
        self.num.append(new)
        return r.choice([f"accum {num} as {new}", f"delta {num} as {new}", f"autoregress {num} as {new} p=2", f"trendline sma3({num}) as {new}", f"fillnull value=0 {num} {text}", f"filldown {text}",
                         f"strcat {text} \"-\" {num} {new}", f"replace 200 with OK, *a* with A in {text}", f"convert num({text}) as {new}", f"rangemap field={num} low=0-5 high=6-100 default=none",
                         f"addtotals {num} id fieldname={new}", f"bin span=5 {num} as {new}", f"bin bins=4 {num} as {new}", f"regex {text}=\"[a-m]\"", f"regex {text}!=\"^a\"", f"spath input={text} path=b.c output={new}",
                         f"spath input={text}", f"eventstats count as {new}", f"foreach {num} [eval {new}='<<FIELD>>'+1]", f"fieldformat {num}=tostring({num},\"commas\")", "addcoltotals " + num])

    def c_shape(self):
        if self.timed or not self.text:
            command = self.rng.choice(["table id user n amount | transpose 20", "table host status | transpose 0", "fillnull value=x user n", "addtotals"]) if self.rng.random() < 0.3 else self.c_stats()
        else:
            command = self.rng.choice(["transpose 20", f"untable {self.pick(self.text)} name value", f"xyseries {self.pick(self.text)} {self.pick(self.text)} {self.pick(self.num)}", "addtotals", "fillnull"])
        if "transpose" in command:
            command += " | rename \"row 1\" as r1, \"row 2\" as r2, \"row 3\" as r3"
            self.table(num=["r1", "r2"], text=["column", "r1", "r3"])
        if command.startswith("untable"):
            self.table(text=["name", "value"])
        return command

    def c_cut(self):
        return f"{self.rng.choice(['head', 'head', 'tail'])} {self.rng.choice([1, 5, 20, 150])}"

    def c_reverse(self):
        return "reverse"

    def query(self):
        """The text of a search; newest events first until some command says otherwise."""
        self.reset()
        weights = [("stats", 9), ("eval", 9), ("where", 7), ("search", 3), ("sort", 6), ("dedup", 5), ("cut", 5), ("reverse", 1), ("eventstats", 4), ("streamstats", 4), ("chart", 4), ("timechart", 5), ("top", 4),
                   ("rex", 3), ("fields", 5), ("rename", 2), ("mv", 5), ("sub", 5), ("lookup", 3), ("transaction", 2), ("small", 7), ("shape", 2)]
        names, chances = zip(*weights)
        parts = [self.terms()]
        for _ in range(self.rng.choice([1, 2, 2, 3, 3, 4, 5])):
            parts.append(getattr(self, "c_" + self.rng.choices(names, chances)[0])())
        return " | ".join(parts)
