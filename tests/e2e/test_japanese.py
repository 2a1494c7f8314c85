#!/usr/bin/env python3
"""Japanese texts are found exactly: as many events as ripgrep (or Python where it is absent) finds lines in the same file."""
import json
import pathlib
import random
import re
import shutil
import subprocess
import tempfile

from harness import Checks, run, search

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-japanese-"))
RG = shutil.which("rg")

SUBJECTS = ["ログイン", "ﾛｸﾞｲﾝ", "出金", "入金", "送金先の追加", "二段階認証", "パスワード変更", "ｱｶｳﾝﾄ停止", "本人確認", "API キー発行", "Withdrawal出金", "口座", "ウォレット"]
RESULTS = ["失敗", "成功", "失敗しました", "が失敗", "を受け付けました", "ｴﾗｰ", "エラー", "タイムアウト", "保留", "Failed", "FAILED失敗", "不明"]
NAMES = ["佐藤", "鈴木", "髙橋", "田中㈱", "渡邊", "Ｓａｔｏ", "sato", "𠮷野", "山﨑", "高橋"]


def texts(seed, count):
    """Messages without line feeds; none but the first few is repeated on purpose."""
    pick = random.Random(seed)
    for i in range(count):
        subject, result, name = pick.choice(SUBJECTS), pick.choice(RESULTS), pick.choice(NAMES)
        amount = pick.choice([f"￥{pick.randrange(10**7):,}", f"{pick.randrange(10**4)}円", f"{pick.randrange(9)}.{pick.randrange(10**8):08}BTC", "１２３４円"])
        yield pick.choice([f"{name}さんの{subject}{result}：{amount} (受付番号={i})", f"{subject}{result} user={name} amount={amount} id={i}", f"[{i}] {name} {subject} {result}",
                           f"user{i}が{subject}に{result}", f"{subject}/{result}:{name};{i}", f"Login {result} for {name}{i} 原因={pick.choice(['期限切れ', 'ＩＤ違い', 'ロック中'])}"])


def lines_as_json(seed, count):
    for i, text in enumerate(texts(seed, count)):
        yield json.dumps({"@timestamp": f"2026-03-0{1 + i % 7}T{i % 24:02}:00:00Z", "message": text, "event.action": "業務"}, ensure_ascii=False)


def lines_as_syslog(seed, count):
    for i, text in enumerate(texts(seed, count)):
        yield f"<14>1 2026-03-0{1 + i % 7}T{i % 24:02}:00:00Z host{i % 9} app{i % 5} {i} - - {text}"


WORDS = ["出金", "失敗", "ﾛｸﾞｲﾝ失敗", "ログイン失敗", "ﾛｸﾞｲﾝ", "ｴﾗｰ", "エラー", "Withdrawal出金失敗", "user=佐藤", "髙橋", "高橋", "𠮷野", "㈱", "Ｓａｔｏ", "１２３４円", "失敗 user=", "出金/失敗", "さんの出金", "違い", "送金先の追加が失敗", "無い言葉"]
CASED = ["withdrawal出金", "WITHDRAWAL", "failed失敗", "fAiLeD", "USER=佐藤", "ｓａｔｏ", "api キー"]


def lines_with(path, word, any_case):
    if RG:
        done = subprocess.run([RG, "--count", "--no-config", "--text", "--fixed-strings", *(["--ignore-case"] if any_case else []), "-e", word, str(path)], capture_output=True, text=True)
        return int(done.stdout or 0)
    fold = str.casefold if any_case else str
    return sum(fold(word) in fold(line) for line in path.read_text().splitlines())


def count(data, spl):
    return int(search(data, f"{spl} | stats count")[0]["count"])


def compare(name, data, plain):
    """plain: the events' texts as UTF-8, a line each."""
    found = 0
    for word in WORDS + CASED:
        want = lines_with(plain, word, True)
        found += want > 0
        checks.equal(f'{name}: message="*{word}*"', count(data, f'message="*{word}*"'), want)
        if name != "CP932":
            checks.equal(f"{name}: event.original=*{word}*", count(data, f'event.original="*{word}*"'), want)
            checks.equal(f"{name}: where like, this case", count(data, f'* | where like(_raw, "%{word}%")'), lines_with(plain, word, False))
        checks.equal(f"{name}: regex, this case", count(data, f'* | regex message="{word}"'), lines_with(plain, word, False))
    checks.check(f"{name}: most words are there", found >= len(WORDS + CASED) - 3, str(found))


def bare(name, data, plain):
    """Without spaces between words there are no tokens: a Japanese word is found wherever it stands."""
    for word in ("出金", "失敗", "ﾛｸﾞｲﾝ失敗", "ログイン", "ｴﾗｰ", "髙橋", "違い", "さんの出金", "無い言葉", "𠮷野"):
        checks.equal(f"{name}: bare {word}", count(data, word), lines_with(plain, word, True))
        checks.equal(f'{name}: "{word}"', count(data, f'"{word}"'), lines_with(plain, word, True))
    for words in (("出金", "失敗"), ("ﾛｸﾞｲﾝ", "佐藤")):
        want = sum(all(word in line for word in words) for line in plain.read_text().splitlines())
        checks.equal(f"{name}: {' '.join(words)}", count(data, " ".join(words)), want)
    lines = plain.read_text().splitlines()
    checks.equal(f"{name}: NOT 失敗", count(data, "NOT 失敗"), sum("失敗" not in line for line in lines))
    edge = re.compile(r"(?<![^\x00-\x20\[\]<>(){}|!;,'\"&?+*/:=@.\-$#%\\_])withdrawal出金", re.IGNORECASE)
    checks.equal(f"{name}: Withdrawal出金, an ASCII beginning keeps its edge", count(data, "Withdrawal出金"), sum(bool(edge.search(line)) for line in lines))
    checks.equal(f"{name}: TERM(出金) keeps its edges", count(data, "TERM(出金)"), sum(bool(re.search(r"(?<![^\x00-\x20\[\]<>(){}|!;,'\"&?+*])出金(?![^\x00-\x20\[\]<>(){}|!;,'\"&?+*])", line)) for line in lines))
    checks.equal(f"{name}: drawal出金 is no token", count(data, "drawal出金"), 0)
    checks.equal(f"{name}: 出金*", count(data, "出金*"), lines_with(plain, "出金", True))
    checks.equal(f"{name}: *失敗*", count(data, "*失敗*"), lines_with(plain, "失敗", True))


def utf8(name, make, seed, size):
    path = tmp / f"{seed}.log"
    path.write_text("".join(line + "\n" for line in make(seed, size)))
    data = tmp / f"data{seed}"
    status, out, err = run("import", "--dir", data, path)
    checks.check(f"{name}: import", status == 0 and out.startswith(f"{size} events"), out + err)
    compare(name, data, path)
    bare(name, data, path)


def unnamed():
    """The same lines in four encodings, and nobody says which: each is found, and keeps its bytes."""
    lines = [line for line in lines_as_syslog(4, 3000) if "𠮷" not in line]
    for encoding in ("utf-8", "cp932", "euc_jp", "iso2022_jp"):
        coded = [line.encode(encoding, "ignore") for line in lines]
        path, data = tmp / f"un.{encoding}", tmp / f"un_{encoding}"
        path.write_bytes(b"".join(line + b"\n" for line in coded))
        status, out, err = run("import", "--dir", data, path)
        checks.check(f"{encoding}: import", status == 0 and out.startswith(f"{len(lines)} events"), out + err)
        texts = [line.decode(encoding) for line in coded]
        for word in ("出金", "ログイン", "失敗"):
            wanted = sum(word in text for text in texts)
            checks.equal(f"{encoding}: message=*{word}*", count(data, f"message=*{word}*"), wanted)
            checks.equal(f"{encoding}: bare {word}", count(data, f"*{word}*"), wanted)
        wanted = sum(not text.isascii() for text in texts) if encoding != "utf-8" else 0
        checks.equal(f"{encoding}: known in each line", count(data, "hinomi.encoding=*"), wanted)
        out = tmp / "un.raw"
        run("export", "--dir", data, "--format", "raw", "--out", out)
        checks.check(f"{encoding}: the bytes are those that came", sorted(out.read_bytes().splitlines()) == sorted(coded))
        out.unlink()


def cp932():
    """The lines keep their bytes; fields are text."""
    lines = [line for line in lines_as_syslog(3, 6000) if "𠮷" not in line]
    path, plain = tmp / "sjis.log", tmp / "sjis.txt"
    path.write_bytes("".join(line + "\n" for line in lines).encode("cp932", "strict"))
    data = tmp / "sjis"
    status, out, err = run("import", "--dir", data, "--encoding", "CP932", path)
    checks.check("CP932: import", status == 0 and out.startswith(f"{len(lines)} events"), out + err)
    # what the message is: the text behind the header, as CP932 gives it back
    plain.write_text("".join(line.encode("cp932").decode("cp932").split(" - - ", 1)[1] + "\n" for line in lines))
    compare("CP932", data, plain)
    out = tmp / "sjis.raw"
    run("export", "--dir", data, "--format", "raw", "--out", out)
    checks.check("CP932: the originals are the bytes that came", sorted(out.read_bytes().splitlines()) == sorted(path.read_bytes().splitlines()))


try:
    utf8("JSON", lines_as_json, 1, 20000)
    utf8("syslog", lines_as_syslog, 2, 20000)
    cp932()
    unnamed()
finally:
    shutil.rmtree(tmp, ignore_errors=True)
if not RG:
    print("note: ripgrep is not here; Python counted")
checks.finish()
