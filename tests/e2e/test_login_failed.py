#!/usr/bin/env python3
"""One question about failed logins is answered by every source that has them, whatever each calls it."""
import pathlib
import tempfile

from harness import Checks, run, search

checks = Checks()
# what is written, the dataset it must become, whether it says where from
FAILED = [
    ("system.auth", True, "Mar  3 09:00:01 bastion sshd[711]: Failed password for invalid user tanaka from 203.0.113.9 port 41000 ssh2"),
    ("fortinet_fortigate.log", True, 'date=2026-03-03 time=09:00:02 devname="fw1" devid="FGT60E0000000001" logid="0100032002" type="event" '
     'subtype="system" level="alert" vd="root" logdesc="Admin login failed" user="tanaka" ui="ssh(203.0.113.9)" method="ssh" '
     'srcip=203.0.113.9 dstip=192.0.2.1 action="login" status="failed" reason="name_invalid" msg="Administrator tanaka login failed"'),
    ("cisco_asa.log", True, '<166>Mar 03 2026 09:00:03 asa1 : %ASA-6-605004: Login denied from 203.0.113.9/41000 to outside:192.0.2.1/ssh for user "tanaka"'),
    ("aws.cloudtrail", True, '{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"tanaka"},'
     '"eventTime":"2026-03-03T09:00:04Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1",'
     '"sourceIPAddress":"203.0.113.9","userAgent":"Mozilla/5.0","errorMessage":"Failed authentication","responseElements":'
     '{"ConsoleLogin":"Failure"},"eventID":"e5","eventType":"AwsConsoleSignIn","recipientAccountId":"111122223333"}'),
    ("azure.signinlogs", True, '{"time":"2026-03-03T09:00:05Z","resourceId":"/tenants/t/providers/Microsoft.aadiam","operationName":"Sign-in activity",'
     '"category":"SignInLogs","resultType":"50126","callerIpAddress":"203.0.113.9","properties":{"id":"s1","createdDateTime":'
     '"2026-03-03T09:00:05Z","userPrincipalName":"tanaka@example.com","userId":"u1","ipAddress":"203.0.113.9","status":{"errorCode":50126}}}'),
    ("okta.system", True, '{"actor":{"id":"00u1","type":"User","alternateId":"tanaka@example.com"},"client":{"ipAddress":"203.0.113.9"},'
     '"displayMessage":"User login to Okta","eventType":"user.session.start","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},'
     '"published":"2026-03-03T09:00:06.000Z","severity":"INFO","uuid":"o1","version":"0","legacyEventType":"core.user_auth.login_failed"}'),
    ("postgresql.log", False, '2026-03-03 09:00:07.100 UTC [99] tanaka@books FATAL:  password authentication failed for user "tanaka"'),
    ("mysql.error", True, "2026-03-03T09:00:08.000000Z 12 [Note] Access denied for user 'tanaka'@'203.0.113.9' (using password: YES)"),
    ("o365.audit", True, '{"CreationTime":"2026-03-03T09:00:09","Id":"m1","Operation":"UserLoginFailed","OrganizationId":"o","RecordType":15,'
     '"ResultStatus":"Failed","UserKey":"k","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"203.0.113.9",'
     '"ObjectId":"p","UserId":"tanaka@example.com","ActorIpAddress":"203.0.113.9"}'),
    ("panw.panos", True, "Mar  3 09:00:10 fw2 1,2026/03/03 09:00:10,012345678901,GLOBALPROTECT,0,2561,2026/03/03 09:00:10,vsys1,gateway-auth,login,"
     'LDAP,,tanaka,JP,laptop1,203.0.113.9,0.0.0.0,192.0.2.50,0.0.0.0,mac1,,6.0.1,Windows,"Windows 11",1,,,Authentication failed,failure,,0,,0,gw1,1,0x0'),
    ("wazuh.alerts", True, '{"timestamp":"2026-03-03T09:00:11.000+0000","rule":{"level":5,"description":"sshd: authentication failed.","id":"5760",'
     '"groups":["syslog","sshd","authentication_failed"]},"agent":{"id":"004","name":"web-2"},"manager":{"name":"wazuh-1"},"id":"1.2",'
     '"decoder":{"name":"sshd"},"data":{"srcip":"203.0.113.9","dstuser":"tanaka"},"location":"/var/log/auth.log"}'),
]
OTHER = [
    "Mar  3 09:01:01 bastion sshd[712]: Accepted publickey for tanaka from 203.0.113.9 port 41001 ssh2: ED25519 SHA256:x",
    "Mar  3 09:01:02 bastion CRON[713]: pam_unix(cron:session): session opened for user tanaka(uid=0) by (uid=0)",
]

with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    (place / "mixed.log").write_text("\n".join([line for _, _, line in FAILED] + OTHER) + "\n")
    status, _, err = run("import", "--dir", place / "data", place / "mixed.log")
    checks.equal("imported", status, 0)
    query = "event.category=authentication event.outcome=failure user.name=tanaka"
    rows = search(place / "data", f"{query} | stats count by event.dataset")
    checks.equal("every source answers", sorted(row["event.dataset"] for row in rows), sorted(name for name, _, _ in FAILED))
    checks.equal("once each", [int(row["count"]) for row in rows], [1] * len(FAILED))
    rows = search(place / "data", f"{query} source.ip=203.0.113.9 | stats count")
    checks.equal("and says where from", int(rows[0]["count"]), sum(where for _, where, _ in FAILED))
    rows = search(place / "data", "event.category=authentication event.outcome=success user.name=tanaka | stats count by event.dataset")
    checks.equal("what succeeded is no failure", [(row["event.dataset"], int(row["count"])) for row in rows], [("system.auth", 1)])
checks.finish()
