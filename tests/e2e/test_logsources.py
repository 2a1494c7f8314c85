#!/usr/bin/env python3
"""Log sources of Sigma rules: one rule works on every dress of its events (EVTX's JSON, Winlogbeat, flat JSON, ECS), and a rule sees the
events of its log source and no others."""
import json
import pathlib
import re
import tempfile

from harness import ROOT, Checks, run

checks = Checks()

SYSMON = "Microsoft-Windows-Sysmon/Operational"
ECS_WINDOWS = {"host": {"os": {"type": "windows"}}}
ECS_LINUX = {"host": {"os": {"type": "linux"}}}
ECS_MAC = {"host": {"os": {"type": "macos"}}}


def ecs(base, category, kind, **fields):
    return {**base, "event": {"category": [category], "type": [kind], "kind": "event", "module": "endpoint"}, **fields}


def winlog(channel, number, data, **more):
    return {"winlog": {"channel": channel, "event_id": str(number), "provider_name": more.pop("provider", "test"), "event_data": data, **more}}


# name, log source, the rule's field and value, the event; one event may be seen through several log sources
SOURCES = [
    ("sysmon by winlogbeat", {"product": "windows", "category": "process_creation"}, ("Image|endswith", "\\a1.exe"),
     winlog(SYSMON, 1, {"Image": "C:\\a1.exe"}, provider="Microsoft-Windows-Sysmon")),
    ("sysmon as the tree of its XML", {"product": "windows", "category": "process_creation"}, ("Image|endswith", "\\a2.exe"),
     {"Event": {"System": {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}}, "EventID": 1, "Channel": SYSMON, "Computer": "pc"},
                "EventData": {"Image": "C:\\a2.exe"}}}),
    ("sysmon flat", {"product": "windows", "category": "process_creation"}, ("Image|endswith", "\\a3.exe"),
     {"EventID": 1, "Channel": SYSMON, "Image": "C:\\a3.exe", "Hostname": "pc"}),
    ("security 4688", {"product": "windows", "category": "process_creation"}, ("Image|endswith", "\\a4.exe"),
     winlog("Security", 4688, {"NewProcessName": "C:\\a4.exe"})),
    ("process in ECS", {"product": "windows", "category": "process_creation"}, ("Image|endswith", "\\a5.exe"),
     ecs(ECS_WINDOWS, "process", "start", process={"executable": "C:\\a5.exe"})),
    ("windows security", {"product": "windows", "service": "security"}, ("EventID", 4625), winlog("Security", 4625, {"TargetUserName": "b"})),
    ("windows system", {"product": "windows", "service": "system"}, ("Provider_Name", "scm"), winlog("System", 7045, {}, provider="scm")),
    ("powershell in ECS", {"product": "windows", "category": "ps_script"}, ("ScriptBlockText|contains", "a6 secret"),
     {**ECS_WINDOWS, "powershell": {"file": {"script_block_text": "run a6 secret now"}}}),
    ("registry in ECS", {"product": "windows", "category": "registry_set"}, ("TargetObject|endswith", "\\Run\\a7"),
     ecs(ECS_WINDOWS, "registry", "change", registry={"path": "HKLM\\Run\\a7"})),
    ("dns question in ECS", {"product": "windows", "category": "dns_query"}, ("QueryName", "a8.example"),
     ecs(ECS_WINDOWS, "network", "protocol", dns={"question": {"name": "a8.example"}})),
    ("dll in ECS", {"product": "windows", "category": "image_load"}, ("ImageLoaded|endswith", "a9.dll"),
     ecs(ECS_WINDOWS, "library", "start", dll={"path": "C:\\a9.dll"})),
    ("rpc firewall", {"product": "rpc_firewall", "category": "application"}, ("EventLog", "RPCFW"),
     winlog("RPCFW", 3, {"InterfaceUuid": "b1"})),
    ("sysmon for linux", {"product": "linux", "category": "process_creation"}, ("CommandLine|contains", "c1 -x"),
     winlog("Linux-Sysmon/Operational", 1, {"CommandLine": "/bin/c1 -x"})),
    ("linux agent", {"product": "linux", "category": "process_creation"}, ("CommandLine|contains", "c2 -x"),
     ecs(ECS_LINUX, "process", "start", process={"executable": "/bin/c2", "command_line": "c2 -x"})),
    ("linux file", {"product": "linux", "category": "file_event"}, ("TargetFilename", "/etc/c3"),
     ecs(ECS_LINUX, "file", "creation", file={"path": "/etc/c3"})),
    ("linux connection", {"product": "linux", "category": "network_connection"}, ("DestinationIp|cidr", "192.0.2.0/24"),
     ecs(ECS_LINUX, "network", "start", destination={"ip": "192.0.2.7", "port": 443})),
    ("audit record", {"product": "linux", "service": "auditd"}, ("a1", "c5"),
     {"event": {"dataset": "auditd.log"}, "auditd": {"log": {"record_type": "EXECVE", "a0": "sh", "a1": "c5"}}}),
    ("mac process", {"product": "macos", "category": "process_creation"}, ("Image", "/usr/bin/d1"),
     ecs(ECS_MAC, "process", "start", process={"executable": "/usr/bin/d1"})),
    ("mac file", {"product": "macos", "category": "file_event"}, ("TargetFilename", "/Library/d2"),
     ecs(ECS_MAC, "file", "creation", file={"path": "/Library/d2"})),
    ("cloudtrail", {"product": "aws", "service": "cloudtrail"}, ("eventName", "E1DeleteTrail"),
     {"eventVersion": "1.08", "eventSource": "cloudtrail.amazonaws.com", "eventName": "E1DeleteTrail", "awsRegion": "ap-northeast-1", "eventTime": "2026-03-01T00:00:00Z"}),
    ("azure activity", {"product": "azure", "service": "activitylogs"}, ("operationName", "E2/VAULTS/DELETE"),
     {"resourceId": "/subscriptions/x", "operationName": "E2/VAULTS/DELETE", "category": "Administrative"}),
    ("azure audit", {"product": "azure", "service": "auditlogs"}, ("properties.message", "E3 add member"),
     {"category": "AuditLogs", "operationName": "E3 add member", "properties": {"activityDisplayName": "E3 add member"}}),
    ("azure sign-in", {"product": "azure", "service": "signinlogs"}, ("ResultType", 50074),
     {"category": "SignInLogs", "resultType": "50074", "properties": {"status": {"errorCode": 50074}}}),
    ("azure risk", {"product": "azure", "service": "riskdetection"}, ("riskEventType", "e5Travel"),
     {"category": "UserRiskEvents", "properties": {"riskEventType": "e5Travel"}}),
    ("gcp audit", {"product": "gcp", "service": "gcp.audit"}, ("gcp.audit.method_name", "e6.delete"),
     {"logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "protoPayload": {"methodName": "e6.delete"}}),
    ("workspace admin", {"product": "gcp", "service": "google_workspace.admin"}, ("eventName", "E7_GRANT"),
     {"id": {"applicationName": "admin"}, "eventName": "E7_GRANT"}),
    ("workspace login", {"product": "gcp", "service": "google_workspace.login"}, ("protoPayload.metadata.event.eventName", "e8_fail"),
     {"protoPayload": {"serviceName": "login.googleapis.com", "metadata": {"event": {"eventName": "e8_fail"}}}}),
    ("m365 audit", {"product": "m365", "service": "audit"}, ("Operation", "E9Set"), {"Workload": "Exchange", "Operation": "E9Set", "CreationTime": "2026-03-01T00:00:00"}),
    ("okta", {"product": "okta", "service": "okta"}, ("eventType", "f1.lock"), {"eventType": "f1.lock", "actor": {"alternateId": "a@example.com"}}),
    ("onelogin", {"product": "onelogin", "service": "onelogin.events"}, ("event_type_id", 3), {"event_type_id": 3, "user_name": "f2"}),
    ("github", {"product": "github", "service": "audit"}, ("action", "f3.destroy"), {"action": "f3.destroy", "actor": "a", "org": "o"}),
    ("bitbucket", {"product": "bitbucket", "service": "audit"}, ("auditType.action", "f4 change"), {"auditType": {"action": "f4 change", "category": "x"}}),
    ("kubernetes", {"product": "kubernetes", "category": "application", "service": "audit"}, ("objectRef.resource", "f5secrets"),
     {"kind": "Event", "auditID": "x", "verb": "get", "objectRef": {"resource": "f5secrets"}}),
    ("zeek dns", {"product": "zeek", "service": "dns"}, ("query", "g1.example"), {"uid": "C1", "qtype_name": "A", "query": "g1.example", "id.orig_h": "10.0.0.1"}),
    ("zeek http", {"product": "zeek", "service": "http"}, ("c-uri|contains", "g2.hta"), {"uid": "C1", "trans_depth": 1, "uri": "/g2.hta", "host": "x"}),
    ("zeek dce_rpc", {"product": "zeek", "service": "dce_rpc"}, ("operation", "g3Create"), {"uid": "C1", "endpoint": "svcctl", "operation": "g3Create"}),
    ("zeek smb", {"product": "zeek", "service": "smb_files"}, ("name|endswith", ".g4"), {"uid": "C1", "action": "SMB::FILE_OPEN", "path": "\\\\x\\IPC$", "name": "a.g4"}),
    ("access log", {"category": "webserver"}, ("cs-uri-query|contains", "/h1/../etc"),
     '192.0.2.9 - - [01/Mar/2026:00:00:00 +0000] "GET /h1/../etc/passwd HTTP/1.1" 404 12 "-" "curl/8"'),
    ("w3c web server", {"category": "webserver"}, ("cs-uri-stem", "/h2.aspx"), {"cs-uri-stem": "/h2.aspx", "cs-method": "GET", "sc-status": 200}),
    ("w3c proxy", {"category": "proxy"}, ("c-uri|contains", "h3.example/x"), {"c-uri": "http://h3.example/x", "cs-host": "h3.example"}),
    ("proxy in ECS", {"category": "proxy"}, ("c-useragent", "h4-agent"),
     {"observer": {"type": "proxy"}, "url": {"full": "http://x/"}, "user_agent": {"original": "h4-agent"}, "event": {"category": ["network", "web"]}}),
    ("any dns", {"category": "dns"}, ("query|endswith", "h5.example"), {"dns": {"question": {"name": "x.h5.example", "type": "TXT"}}}),
    ("firewall", {"category": "firewall"}, ("dst_ip", "192.0.2.66"), {"observer": {"type": "firewall"}, "destination": {"ip": "192.0.2.66"}}),
    ("antivirus", {"category": "antivirus"}, ("Signature|contains", "h7.gen"), {"Signature": "HackTool/h7.gen", "Filename": "x"}),
    ("opencanary", {"product": "opencanary", "category": "application"}, ("logtype", 4002), {"logtype": 4002, "node_id": "i1", "logdata": {"USERNAME": "x"}}),
    ("cisco", {"product": "cisco", "service": "aaa"}, (None, "i2-config"),
     "<189>Mar  1 00:00:00 sw1 77: %PARSER-5-CFGLOG_LOGGEDCMD: User:a logged command: i2-config x"),
    ("fortigate", {"product": "fortigate", "service": "event"}, ("cfgpath", "i3.admin"), {"devid": "FG1", "logid": "0100044546", "action": "Add", "cfgpath": "i3.admin"}),
    ("python", {"product": "python", "category": "application"}, (None, "i4Error"),
     '2026-03-01 00:00:00 ERROR i4Error at /login: Traceback (most recent call last): File "a.py", line 1'),
    ("sshd", {"product": "linux", "service": "sshd"}, (None, "j1 corrupted"), "<38>Mar  1 00:00:00 h sshd[9]: fatal: j1 corrupted MAC on input"),
    ("sudo", {"product": "linux", "service": "sudo"}, ("USER", "j2root"),
     "<85>Mar  1 00:00:00 h sudo[9]:    alice : TTY=pts/0 ; PWD=/ ; USER=j2root ; COMMAND=/bin/id"),
    ("database", {"category": "database"}, ("query|contains", "k2 drop"), {"event": {"category": ["database"]}, "query": "k2 drop table"}),
    ("duo", {"product": "cisco", "service": "duo"}, ("reason", "k3_fraud"), {"event": {"dataset": "cisco_duo.auth", "module": "cisco_duo"}, "reason": "k3_fraud"}),
    ("a connection", {"category": "network", "service": "connection"}, ("network.transport", "k4-sctp"),
     {"event": {"category": ["network"]}, "network": {"transport": "k4-sctp"}, "destination": {"ip": "192.0.2.77"}}),
    ("a question", {"category": "network", "service": "dns"}, ("dns.answers.data", "k5.example"),
     {"dns": {"question": {"name": "k5x.example"}, "answers": [{"data": "k5.example"}]}}),
    ("apache", {"product": "apache", "service": "error"}, (None, "k6 failed"), {"event": {"dataset": "apache.error"}, "message": "k6 failed"}),
    ("nginx alone", {"product": "nginx"}, (None, "k7 failed"), {"event": {"dataset": "nginx.error"}, "message": "k7 failed"}),
    ("antivirus as a product", {"product": "antivirus"}, ("Filename", "k8.exe"), {"event": {"category": ["malware"]}, "file": {"path": "k8.exe"}}),
    ("telemetry", {"product": "windows", "service": "application-experience"}, ("ExePath", "k9.exe"),
     winlog("Microsoft-Windows-Application-Experience/Program-Telemetry", 500, {"ExePath": "k9.exe"})),
    ("business in ECS names", {"product": "ecs"}, ("event.action", "k1-withdraw"), {"event": {"action": "k1-withdraw"}}),
]


def rule_text(number, source, field, value):
    lines = [f"title: rule {number}", f"id: 00000000-0000-4000-8000-{number:012d}", "logsource:"]
    lines += [f"  {key}: {text}" for key, text in source.items()]
    lines += ["detection:"]
    if field:
        lines += ["  selection:", f"    {field}: {json.dumps(value) if not isinstance(value, str) else chr(39) + value + chr(39)}"]
    else:
        lines += ["  selection:", f"    - '{value}'"]
    return "\n".join(lines + ["  condition: selection", "level: low", ""])


def found(tmp, rules, events):
    """{rule number: records it matched}"""
    path = pathlib.Path(tmp, "rules")
    path.mkdir(exist_ok=True)
    for old in path.glob("*.yml"):
        old.unlink()
    for number, text in rules.items():
        (path / f"{number}.yml").write_text(text)
    # a file a form, as senders do it: text lines and JSON lines are not mixed in one file
    result = {}
    for number, event in enumerate(events):
        line = event if isinstance(event, str) else json.dumps(event)
        pathlib.Path(tmp, f"event{number:03d}.log").write_text(line.replace("\\n", "\n") + "\n" if isinstance(event, str) else line + "\n")
    paths = [str(p) for p in sorted(pathlib.Path(tmp).glob("event*.log"))]
    status, out, err = run("detect", "--rules", str(path), "--format", "jsonl", *paths)
    checks.equal("detect ends well", (status, [line for line in err.splitlines() if "inactive" in line]), (0, []))
    for line in out.splitlines():
        record = json.loads(line)
        number = int(record["rule"]["id"][-12:])
        event = int(re.search(r"event(\d+)", record["log"]["file"]["path"]).group(1))
        result.setdefault(number, set()).add(event)
    return result


def check_each():
    """Every rule sees the event of its own row, whatever that is dressed in, and no other."""
    with tempfile.TemporaryDirectory() as tmp:
        rules = {n: rule_text(n, source, *test) for n, (_, source, test, _) in enumerate(SOURCES)}
        seen = found(tmp, rules, [event for *_, event in SOURCES])
    for number, (name, *_) in enumerate(SOURCES):
        checks.equal(name, seen.get(number, set()), {number})


def check_values_elsewhere():
    """Values of Sysmon that ECS has in other fields, or says in other words."""
    start, connection = {"product": "windows", "category": "process_creation"}, {"product": "windows", "category": "network_connection"}
    md5, imphash = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
    process = lambda **process: ecs(ECS_WINDOWS, "process", "start", process=process)
    network = lambda direction: ecs(ECS_WINDOWS, "network", "start", network={"direction": direction})
    events = [process(hash={"md5": md5}), process(pe={"imphash": imphash}), process(hash={"md5": imphash}), network("egress"), network("inbound"),
              ecs(ECS_WINDOWS, "driver", "start", dll={"hash": {"md5": md5}}), ecs(ECS_WINDOWS, "file", "creation", file={"hash": {"md5": md5}})]
    wanted = [
        (start, "Hashes|contains", f"MD5={md5.upper()}", {0}), (start, "Hashes|contains", "IMPHASH=" + imphash, {1}), (start, "Hashes|contains", md5, {0}),
        (start, "Hashes|contains", "md5=0123", {0}), (start, "Hashes|contains", "MD5=4567", set()), (start, "Hashes", "MD5=" + md5, {0}),
        (start, "Hashes|endswith", "IMPHASH=" + imphash, {1}), (start, "Hashes|contains", "SHA256=" + md5, set()),
        ({**start, "category": "driver_load"}, "Hashes|contains", "MD5=" + md5, {5}), ({**start, "category": "file_event"}, "Hashes|contains", "MD5=" + md5, {6}),
        (connection, "Initiated", "true", {3}), (connection, "Initiated", "false", {4}), (connection, "Initiated|contains", "true", set()),
    ]
    with tempfile.TemporaryDirectory() as tmp:
        seen = found(tmp, {n: rule_text(n, source, field, value) for n, (source, field, value, _) in enumerate(wanted)}, events)
    for number, (_, field, value, rows) in enumerate(wanted):
        checks.equal(f"{field}: {value}", seen.get(number, set()), rows)


# Rows that a log source has besides its own.
ALSO = {
    "windows/-/security": {"security 4688"},
    "-/dns/-": {"zeek dns", "dns question in ECS", "a question"},
    "-/network/dns": {"dns question in ECS", "any dns", "zeek dns"},
    "nginx/-/-": {"access log"},
    "-/network/connection": {"linux connection"},
    "-/webserver/-": {"apache", "nginx alone"},
    "-/antivirus/-": {"antivirus as a product"},
    "antivirus/-/-": {"antivirus"},
    "ecs/-/-": {name for name, *_ in SOURCES},
}


def check_borders():
    """A rule that holds for any event of its log source matches the rows of that log source, and none besides."""
    own = {}
    for name, source, *_ in SOURCES:
        own.setdefault("/".join(source.get(key, "-") for key in ("product", "category", "service")), (source, set()))[1].add(name)
    with tempfile.TemporaryDirectory() as tmp:
        rules = {number: rule_text(number, source, "nothing.has.this", "x").replace("condition: selection", "condition: not selection")
                 for number, (source, _) in enumerate(own.values())}
        seen = found(tmp, rules, [event for *_, event in SOURCES])
    for number, (text, (_, names)) in enumerate(own.items()):
        checks.equal(f"the events of {text}", {SOURCES[i][0] for i in seen.get(number, set())}, names | ALSO.get(text, set()))


def check_named_by_setting():
    """A source whose records do not say what they are is told by its setting."""
    with tempfile.TemporaryDirectory() as tmp:
        rules, log = pathlib.Path(tmp, "rule.yml"), pathlib.Path(tmp, "app.log")
        rules.write_text(rule_text(1, {"product": "sql", "category": "application"}, None, "l1 denied"))
        log.write_text("ERROR l1 denied for user bob\n")
        for source, count in (("mysql.audit", 1), ("other.app", 0)):
            _, out, _ = run("detect", "--rules", str(rules), "--source", source, str(log))
            checks.equal(f"named {source}", len(out.splitlines()), count)


def check_all_named():
    """Each log source of the content is tried here or is one of a family that is."""
    tried = {(s.get("product", "*"), s.get("category"), s.get("service")) for _, s, _, _ in SOURCES}
    checks.check("the table is not empty", len(tried) > 30)
    for path in sorted((ROOT / "content/logsources").glob("*.yaml")):
        for product in re.findall(r"^product: \"?([\w*]+)", path.read_text(), re.M):
            checks.check(f"{product} is tried", any(p == product for p, _, _ in tried) or product in UNTRIED, path.name)


# Products whose rules are keywords over a log that is told by its data set alone, like those of their family above.
UNTRIED = {"jvm", "django", "ruby_on_rails", "spring", "nodejs", "velocity", "sql", "modsecurity", "qualys", "juniper", "huawei", "fortios", "paloalto"}

# The log sources of the Sigma taxonomy: product or "*", what is named, the names.
TAXONOMY = [
    ("*", "category", "antivirus database dns firewall proxy webserver process_creation"), ("aws", "service", "cloudtrail"),
    ("azure", "service", "activitylogs auditlogs riskdetection pim signinlogs"), ("bitbucket", "service", "audit"), ("cisco", "service", "duo aaa bgp ldp"),
    ("gcp", "service", "gcp.audit google_workspace.admin"), ("github", "service", "audit"), ("m365", "service", "audit exchange threat_detection threat_management"),
    ("okta", "service", "okta"), ("onelogin", "service", "onelogin.events"), ("huawei", "service", "bgp ldp"), ("juniper", "service", "bgp ldp"),
    ("linux", "category", "file_event network_connection process_creation"), ("macos", "category", "file_event process_creation"),
    ("linux", "service", "auditd auth clamav cron guacamole sudo sshd syslog vsftpd"), ("apache", "service", "access error"), ("*", "service", "apache"),
    ("zeek", "service", "dce_rpc dns http kerberos rdp smb_files x509"),
    ("windows", "category", "process_creation file_change network_connection sysmon_status process_termination driver_load image_load create_remote_thread "
     "raw_access_thread process_access file_event registry_event registry_add registry_delete registry_set registry_rename create_stream_hash pipe_created "
     "wmi_event dns_query file_delete clipboard_capture process_tampering file_delete_detected file_block_executable file_block_shredding "
     "file_executable_detected sysmon_error file_access ps_classic_start ps_classic_provider_start ps_classic_script ps_module ps_script file_rename"),
    ("windows", "service", "application application-experience applocker appmodel-runtime appxdeployment-server appxpackaging-om bitlocker bits-client capi2 "
     "certificateservicesclient-lifecycle-system codeintegrity-operational dhcp diagnosis-scripted dns-client dns-server dns-server-analytic dns-server-audit "
     "driver-framework firewall-as hyper-v-worker iis-configuration kernel-event-tracing kernel-shimengine ldap lsa-server msexchange-management ntfs ntlm "
     "openssh powershell powershell-classic printservice-admin printservice-operational security security-mitigations sense servicebus-client shell-core "
     "smbclient-security sysmon system taskscheduler terminalservices-localsessionmanager vhdmp windefend wmi"),
] + [(product, "category", "application") for product in "django python rpc_firewall ruby_on_rails spring sql".split()]
ALONE = "windows linux macos aws azure gcp m365 okta github zeek cisco kubernetes apache modsecurity antivirus".split()


def check_taxonomy():
    """Every log source of the taxonomy means something here; a product alone is not every event."""
    sources = [{key: name, **({} if product == "*" else {"product": product})} for product, key, names in TAXONOMY for name in names.split()]
    sources += [{"category": "network", "service": s} for s in ("connection", "dns")] + [{"product": p} for p in ALONE]
    with tempfile.TemporaryDirectory() as tmp:
        for number, source in enumerate(sources):
            pathlib.Path(tmp, f"{number}.yml").write_text(rule_text(number, source, "nothing.has.this", "x").replace("condition: selection", "condition: not selection"))
        _, out, _ = run("rules", "check", "--format", "jsonl", tmp)
        states = {int(r["rule"]["id"][-12:]): r["status"] for r in map(json.loads, out.splitlines())}
        checks.equal("log sources of the taxonomy that mean nothing", [sources[n] for n, s in sorted(states.items()) if s != "active"], [])
        log = pathlib.Path(tmp, "other.jsonl")
        log.write_text('{"nothing": "that any product writes"}\n')
        _, out, _ = run("detect", "--rules", tmp, "--format", "jsonl", str(log))
        checks.equal("an event of none of them", [json.loads(line)["rule"]["title"] for line in out.splitlines()], [])


check_each()
check_taxonomy()
check_borders()
check_values_elsewhere()
check_named_by_setting()
check_all_named()
checks.finish()
