#!/usr/bin/env python3
"""Turns the tables of lib/model into C and into the reference.

    gen.py --out build/gen                   *.gen.h and *.inc
    gen.py --docs docs/reference [--check]   a page for each table; --check only says what is stale
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True

import gen_c  # noqa: E402
import gen_docs  # noqa: E402
import gen_tables  # noqa: E402


def read_all():
    entities = gen_tables.read_entities()
    params = gen_tables.read_params()
    reports = gen_tables.read_reports(params)
    sysctls = gen_tables.read_sysctls()
    return (
        entities,
        params,
        gen_tables.read_reasons(),
        gen_tables.read_phrases(),
        gen_tables.read_ops(entities, reports),
        gen_tables.read_answers(),
        sysctls,
        reports,
        gen_tables.read_controls(sysctls),
        gen_tables.read_migration(entities),
    )


def content(lines):
    return "\n".join(lines).rstrip("\n") + "\n"


def read_file(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def write_changed(folder, files):
    """Untouched files keep their time, so that only what reads a changed table is built again."""
    os.makedirs(folder, exist_ok=True)
    for name, lines in files.items():
        path = os.path.join(folder, name)
        if read_file(path) != content(lines):
            with open(path + ".new", "w", encoding="utf-8") as f:
                f.write(content(lines))
            os.replace(path + ".new", path)


def check(folder, files):
    pages = ((name, os.path.join(folder, name), content(lines)) for name, lines in files.items())
    stale = [name for name, path, text in pages if read_file(path) != text]
    if stale:
        sys.exit(f"{folder}: out of date: {', '.join(stale)} (gen.py --docs {folder})")


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--out", metavar="DIR")
    parser.add_argument("--docs", metavar="DIR")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    try:
        tables = read_all()
    except gen_tables.TableError as e:
        sys.exit(str(e))
    if args.out:
        write_changed(args.out, gen_c.files(*tables))
    if args.docs and args.check:
        check(args.docs, gen_docs.files(*tables))
    elif args.docs:
        write_changed(args.docs, gen_docs.files(*tables))


if __name__ == "__main__":
    main()
