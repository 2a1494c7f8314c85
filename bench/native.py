"""Native log lines for the benchmarks, made by a seeded generator: users, addresses, ids, paths and numbers vary in
every line, with the skew that real ones have, and no line is repeated. make_events of run.py is the JSON counterpart."""
import json
import random
import time

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
START = 1772323200  # 2026-03-01T00:00:00Z


class World:
    """Who and what is in the logs: many of each, the first ones far more often."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        syllables = "ka mi to no sa ra ha ru ke shi ya o ta na mo ri e su de wa go bu ji".split()
        def name(low, high):
            return "".join(self.rng.choice(syllables) for _ in range(self.rng.randrange(low, high)))
        self.users = [name(2, 5) + str(self.rng.randrange(100)) for _ in range(6000)]
        self.hosts = [f"{kind}-{self.rng.randrange(1, 60):02}" for kind in ("web", "db", "mail", "bastion", "vault", "api", "edge", "batch") for _ in range(14)]
        self.inside = [f"10.{self.rng.randrange(32)}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}" for _ in range(9000)]
        self.outside = [".".join(str(self.rng.randrange(1, 255)) for _ in range(4)) for _ in range(60000)]
        self.words = [name(2, 6) for _ in range(3000)]
        self.domains = [f"{name(2, 5)}.{self.rng.choice(['com', 'net', 'jp', 'io', 'org'])}" for _ in range(4000)]

    def often(self, things):
        """Some stand out."""
        return things[min(int(self.rng.paretovariate(0.9)) - 1, len(things) - 1)] if self.rng.random() < 0.7 else self.rng.choice(things)

    def path(self):
        return "/" + "/".join(self.often(self.words) for _ in range(self.rng.randrange(1, 4))) + self.rng.choice(["", f"/{self.rng.randrange(10**6)}", f"?id={self.rng.getrandbits(48):x}"])

    def agent(self):
        r = self.rng
        return r.choice([f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{r.randrange(90, 125)}.0.{r.randrange(6000)}.{r.randrange(200)} Safari/537.36",
                         f"curl/{r.randrange(7, 9)}.{r.randrange(90)}.{r.randrange(3)}", f"python-requests/2.{r.randrange(20, 32)}.{r.randrange(4)}",
                         f"Mozilla/5.0 (iPhone; CPU iPhone OS {r.randrange(14, 18)}_{r.randrange(7)} like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"])


def times(world, count, days=7):
    """Seconds and microseconds, ascending, busier by day."""
    at, step = START * 10**6, days * 86400 * 10**6 // max(count, 1)
    for _ in range(count):
        at += int(world.rng.expovariate(1 / step))
        yield divmod(at, 10**6)


def bsd_stamp(seconds):
    t = time.gmtime(seconds)
    return f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:2} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"


def iso_stamp(seconds, micros, digits=6):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06}"[:digits + 1] + "Z"


def message(w):
    """(program, facility, severity, text)"""
    r, user, host, outside, inside = w.rng, w.often(w.users), w.often(w.hosts), w.often(w.outside), w.often(w.inside)
    port, pid = r.randrange(1024, 65535), r.randrange(300, 99999)
    return r.choices([
        lambda: ("sshd", 10, 6, f"Failed password for {r.choice(['invalid user ', ''])}{user} from {outside} port {port} ssh2"),
        lambda: ("sshd", 10, 6, f"Accepted publickey for {user} from {inside} port {port} ssh2: ED25519 SHA256:{r.getrandbits(256):043x}"),
        lambda: ("sshd", 10, 6, f"Disconnected from user {user} {inside} port {port}"),
        lambda: ("sudo", 10, 5, f"{user:>8} : TTY=pts/{r.randrange(40)} ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/{w.often(w.words)} --{w.often(w.words)} {r.randrange(9999)}"),
        lambda: ("CRON", 9, 6, f"({w.often(w.users)}) CMD (/opt/{w.often(w.words)}/run.sh {r.getrandbits(32):08x} >/dev/null 2>&1)"),
        lambda: ("kernel", 0, 4, f"[{r.randrange(10**7)}.{r.randrange(10**6):06}] DROP IN=eth0 OUT= MAC={r.getrandbits(112):028x} SRC={outside} DST={inside} LEN={r.randrange(40, 1500)} TOS=0x00 PREC=0x00 TTL={r.randrange(30, 128)} ID={r.randrange(65536)} PROTO=TCP SPT={port} DPT={r.choice([22, 23, 80, 443, 445, 3389, r.randrange(65536)])} WINDOW={r.randrange(65536)} RES=0x00 SYN URGP=0"),
        lambda: ("postfix/smtpd", 2, 6, f"{r.getrandbits(40):010X}: client={w.often(w.domains)}[{outside}], sasl_method=PLAIN, sasl_username={user}@{w.often(w.domains)}"),
        lambda: ("named", 3, 6, f"client @0x{r.getrandbits(44):011x} {inside}#{port} ({w.often(w.words)}.{w.often(w.domains)}): query: {w.often(w.words)}.{w.often(w.domains)} IN {r.choice(['A', 'AAAA', 'TXT', 'MX'])} +E(0)K (10.0.0.53)"),
        lambda: ("dhcpd", 3, 6, f"DHCPACK on {inside} to {':'.join(f'{r.getrandbits(8):02x}' for _ in range(6))} ({host}) via eth{r.randrange(4)}"),
        lambda: ("nginx", 16, 6, f"{outside} - {user} \"{r.choice(['GET', 'POST', 'PUT'])} {w.path()} HTTP/1.1\" {r.choices([200, 304, 401, 404, 500], [70, 10, 6, 9, 5])[0]} {r.randrange(100000)} \"https://{w.often(w.domains)}{w.path()}\" \"{w.agent()}\" rt={r.randrange(5000) / 1000}"),
        lambda: ("systemd", 3, 6, f"{r.choice(['Started', 'Stopped', 'Reloading'])} {w.often(w.words)}@{r.randrange(4000)}.service - {w.often(w.words)} {w.often(w.words)}."),
    ], [14, 6, 6, 6, 8, 14, 8, 14, 6, 14, 4])[0]() + (pid, host)


def syslog_bsd(seed, count):
    w = World(seed)
    for seconds, _ in times(w, count):
        program, facility, severity, text, pid, host = message(w)
        yield f"<{facility * 8 + severity}>{bsd_stamp(seconds)} {host} {program}{'' if program == 'kernel' else f'[{pid}]'}: {text}"


def syslog_ietf(seed, count):
    w = World(seed)
    for number, (seconds, micros) in enumerate(times(w, count)):
        program, facility, severity, text, pid, host = message(w)
        data = f'[meta sequenceId="{number}" sysUpTime="{number * 7}"][origin ip="{w.often(w.inside)}" software="{program}"]' if w.rng.random() < 0.6 else "-"
        yield f"<{facility * 8 + severity}>1 {iso_stamp(seconds, micros)} {host}.example.net {program} {pid} {w.often(w.words).upper()[:8]} {data} {text}"


def cef(seed, count):
    w = World(seed)
    r = w.rng
    for seconds, micros in times(w, count):
        vendor, product, code, name, severity = r.choice([
            ("Palisade", "Gateway", "1001", "Connection denied", 5), ("Palisade", "Gateway", "1000", "Connection allowed", 1), ("Kura", "Proxy", f"{r.choice([200, 403, 407, 502])}", "Web request", 3),
            ("Torii", "VPN", "login", "VPN session opened", 2), ("Torii", "VPN", "fail", "VPN authentication failed", 6), ("Shinobi", "EDR", f"T{r.randrange(1001, 1600)}", "Suspicious process", 8)])
        out = (f"CEF:0|{vendor}|{product}|{r.randrange(4, 9)}.{r.randrange(10)}|{code}|{name}|{severity}|rt={seconds * 1000 + micros // 1000} src={w.often(w.outside)} spt={r.randrange(1024, 65535)}"
               f" dst={w.often(w.inside)} dpt={r.choice([22, 53, 80, 443, 3389, r.randrange(65536)])} proto={r.choice(['TCP', 'UDP'])} suser={w.often(w.users)} dhost={w.often(w.hosts)} externalId={r.getrandbits(64):016x}")
        if product == "Proxy":
            out += f" requestMethod=GET request=https://{w.often(w.domains)}{w.path()} requestClientApplication={w.agent()} in={r.randrange(10**5)} out={r.randrange(10**4)}".replace("|", "\\|")
        if product == "EDR":
            out += f" fname={w.often(w.words)}.exe filePath=C:\\\\Users\\\\{w.often(w.users)}\\\\{w.often(w.words)}.exe fileHash={r.getrandbits(256):064x} sproc={w.often(w.words)} cs1Label=Command cs1={w.often(w.words)} -enc {r.getrandbits(120):x}"
        yield f"{out} cnt={r.randrange(1, 40)} msg={w.often(w.words)} {w.often(w.words)} {r.randrange(10**6)}"


def cloudtrail(seed, count):
    w = World(seed)
    r = w.rng
    calls = [("s3", "GetObject"), ("s3", "PutObject"), ("sts", "AssumeRole"), ("ec2", "DescribeInstances"), ("iam", "ListUsers"), ("kms", "Decrypt"), ("signin", "ConsoleLogin"), ("lambda", "Invoke"), ("rds", "DescribeDBInstances"), ("iam", "CreateAccessKey")]
    for seconds, micros in times(w, count):
        service, call = r.choices(calls, [30, 10, 14, 12, 4, 18, 3, 5, 3, 1])[0]
        account, user = str(100000000000 + int(r.paretovariate(1)) % 40), w.often(w.users)
        event = {"eventVersion": "1.09", "userIdentity": {"type": r.choice(["IAMUser", "AssumedRole"]), "principalId": f"AIDA{r.getrandbits(80):020X}", "arn": f"arn:aws:iam::{account}:user/{user}",
                                                          "accountId": account, "accessKeyId": f"AKIA{r.getrandbits(80):016X}"[:20], "userName": user},
                 "eventTime": iso_stamp(seconds, micros, 0)[:19] + "Z", "eventSource": f"{service}.amazonaws.com", "eventName": call, "awsRegion": r.choice(["ap-northeast-1", "us-east-1", "eu-west-1"]),
                 "sourceIPAddress": w.often(w.outside), "userAgent": w.agent(), "requestParameters": {"bucketName": f"{w.often(w.words)}-{w.often(w.words)}", "key": w.path()[1:], "roleArn": f"arn:aws:iam::{account}:role/{w.often(w.words)}"},
                 "responseElements": None, "additionalEventData": {"bytesTransferredOut": r.randrange(10**6), "x-amz-id-2": f"{r.getrandbits(384):096x}"}, "requestID": f"{r.getrandbits(64):016X}",
                 "eventID": f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}-a{r.getrandbits(12):03x}-{r.getrandbits(48):012x}", "readOnly": not call.startswith(("Put", "Create")), "eventType": "AwsApiCall",
                 "managementEvent": service != "s3", "recipientAccountId": account, "eventCategory": "Management"}
        if r.random() < 0.08:
            event |= {"errorCode": "AccessDenied", "errorMessage": f"User: arn:aws:iam::{account}:user/{user} is not authorized to perform: {service}:{call}"}
        yield json.dumps(event, separators=(",", ":"))


LINES = {"syslog RFC 3164": syslog_bsd, "syslog RFC 5424": syslog_ietf, "CEF": cef, "CloudTrail": cloudtrail}
