#!/usr/bin/env python3
"""Golden tests: given rows, run a command, expect rows. Plain text, one file a subject.

  tests/golden/run.py [--bin build/hinomi] [--update] [FILE or FOLDER ...]

A file holds cases:

  == what it shows
  --- given            JSON lines, the main data set (optional; the last one of the file stays)
  --- table NAME       JSON lines, a lookup table beside it (optional); NAME.csv is written as it stands
  --- options          more options of hinomi search, such as --tz Europe/Berlin (optional)
  --- define           YAML, definitions as in docs/knowledge.md (optional; the last one of the file stays)
  --- search           the SPL; lines are joined by a space
  --- expect           JSON lines in order, or "error: " and a part of the message
  --- notes            parts of messages that must be on standard error (optional)

Values are compared as JSON, numbers with their digits: 1 and 1.0 differ. Closes with
"N passed, N failed"; exit status 0 when none failed.
"""
import argparse, json, os, shlex, subprocess, sys, tempfile


def cases_of(path):
    case, part, cases, given, tables, define = None, None, [], [], {}, []
    for line in open(path, encoding='utf8'):
        line = line.rstrip('\n')
        if line.startswith('== '):
            case = {'title': line[3:], 'search': [], 'expect': [], 'options': [], 'notes': []}
            cases.append(case)
            part = None
        elif line.startswith('--- '):
            words = line[4:].split()
            part = words[0]
            if part == 'given':
                given = []
            elif part == 'define':
                define = []
            elif part == 'table':
                tables = dict(tables)
                part = tables[words[1]] = []
            if case is not None:
                case['given'], case['tables'], case['define'] = given, tables, define
        elif isinstance(part, list):
            part.append(line)
        elif part == 'given' and line.strip():
            given.append(line)
        elif part == 'define':
            define.append(line)
        elif part in ('search', 'expect', 'options', 'notes') and line.strip() and not line.startswith('#'):
            case[part].append(line)
        if case is not None:
            case['given'], case['tables'], case['define'] = given, tables, define
    return cases


def run(binary, case):
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, 'main.jsonl')
        open(data, 'w', encoding='utf8').write('\n'.join(case['given']) + '\n')
        for name, rows in case['tables'].items():
            file = os.path.join(folder, name if '.' in name else name + '.jsonl')
            os.makedirs(os.path.dirname(file), exist_ok=True)
            open(file, 'w', encoding='utf8').write('\n'.join(rows) + '\n')
        define = os.path.join(folder, 'define.yaml')
        open(define, 'w', encoding='utf8').write('\n'.join(case['define']) + '\n')
        more = shlex.split(' '.join(case['options']))
        return subprocess.run([binary, 'search', '--data', data, '--data-dir', folder, '--macros', define, '--format', 'jsonl', *more,
                               ' '.join(case['search'])], capture_output=True, text=True, timeout=60)


def check(binary, case):
    done = run(binary, case)
    wanted = case['expect']
    if wanted and wanted[0].startswith('error: '):
        if done.returncode == 1 and wanted[0][7:] in done.stderr:
            return None
        return 'expected an error with "%s", got %d: %s' % (wanted[0][7:], done.returncode, done.stderr.strip())
    if done.returncode != 0:
        return 'exit %d: %s' % (done.returncode, done.stderr.strip())
    for note in case['notes']:
        if note not in done.stderr:
            return 'no note with "%s": %s' % (note, done.stderr.strip())
    exact = dict(parse_float=lambda text: 'number ' + text, parse_int=lambda text: 'number ' + text)
    got = [json.loads(line, **exact) for line in done.stdout.splitlines()]
    want = [json.loads(line, **exact) for line in wanted]
    if got != want:
        return 'expected\n    %s\n  got\n    %s' % ('\n    '.join(wanted), done.stdout.strip().replace('\n', '\n    '))
    return None


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default=os.path.join(here, '..', '..', 'build', 'hinomi'))
    parser.add_argument('paths', nargs='*', default=[os.path.join(here, 'search')])
    args = parser.parse_args()
    files = []
    for path in args.paths:
        if os.path.isdir(path):
            files += sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith('.test'))
        else:
            files.append(path)
    passed = failed = 0
    for path in files:
        for case in cases_of(path):
            problem = check(args.bin, case)
            passed += problem is None
            failed += problem is not None
            if problem:
                print('FAIL %s: %s\n  %s' % (os.path.basename(path), case['title'], problem))
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == '__main__':
    main()
