#!/usr/bin/env python3
"""Counts what recorded_traffic_test.cc must find, by another way than the C++ code.

    count_recorded.py FILE...      (".zst" is unpacked by the program zstd)

A line is taken apart by regular expressions; multi-part messages are joined as text and measured
as a string of '0' and '1'. Prints a line for each file:
    file lines | comment blank not_ais not_sentence bad | messages by type | lines in whole messages | lost
"""
import collections
import functools
import operator
import re
import subprocess
import sys

VDM = re.compile(rb"!([A-Z0-9-]{2})(VD[MO]),([^*]*)\*([0-9A-F]{2})")
SENTENCE = re.compile(rb"[!$]([A-Z0-9]{3,12})[,*]")
BITS = {c: format(i, "06b") for i, c in enumerate(
    b"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw")}
# Bits of a type: least and most that are taken.
LENGTH = {1: (149, 174), 2: (149, 174), 3: (149, 174), 4: (149, 174), 5: (420, 432),
          6: (88, 1536), 7: (70, 174), 8: (56, 1536), 9: (149, 174), 10: (70, 80),
          11: (149, 174), 12: (72, 1536), 13: (70, 174), 14: (40, 1536), 15: (88, 174),
          16: (92, 174), 17: (75, 1536), 18: (148, 174), 19: (308, 318), 20: (70, 192),
          21: (271, 374), 22: (145, 174), 23: (154, 174), 24: (160, 174), 25: (40, 174),
          26: (60, 1536), 27: (95, 174)}


def xor(data):
    return functools.reduce(operator.xor, data, 0)


def sentence_error(line):
    """Why a line without a VDM is none; the checksum of others counts if they have one."""
    match = SENTENCE.match(line)
    body, star, digits = line[1:].partition(b"*")
    if line[:1] not in b"!$" or not line:
        return "not_sentence"
    if star:
        claimed = re.match(rb"[0-9A-Fa-f]{2}|[0-9A-Fa-f]$", digits)
        if not claimed:
            return "missing_checksum"
        if int(claimed.group(), 16) != xor(body):
            return "bad_checksum"
    return "not_ais" if match or re.fullmatch(rb"[!$][A-Z0-9]{3,12}", line) else "not_sentence"


def verdict(bits):
    kind = int(bits[:6], 2)
    if not 1 <= kind <= 27:
        return "unknown_type"
    if not LENGTH[kind][0] <= len(bits) <= LENGTH[kind][1]:
        return "bad_length"
    if kind == 24 and int(bits[38:40], 2) > 1:
        return "bad_part"
    if kind == 24 and bits[38:40] == "01" and len(bits) < 162:
        return "bad_length"
    if kind in (25, 26):
        need = 40 + 30 * int(bits[38]) + 16 * int(bits[39]) + (20 if kind == 26 else 0)
        if len(bits) < need:
            return "bad_length"
    return kind


def count(name):
    raw = (subprocess.run(["zstd", "-dc", name], stdout=subprocess.PIPE, check=True).stdout
           if name.endswith(".zst") else open(name, "rb").read())
    lines = raw.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    refused, types = collections.Counter(), collections.Counter()
    whole = 0
    pending = {}  # key -> (count, [payload bits])
    lost = 0
    for line in lines:
        line = line.strip(b" \t\r\n")
        line = re.sub(rb"^\\[^\\]*\\", b"", line)
        if not line:
            refused["blank_line"] += 1
            continue
        if line[:1] == b"#":
            refused["comment"] += 1
            continue
        match = VDM.match(line)
        if not match:
            if re.match(rb"![A-Z0-9-]{2}VD[MO],", line):
                refused["missing_checksum"] += 1
            else:
                refused[sentence_error(line)] += 1
            continue
        if int(match[4], 16) != xor(line[1:match.start(4) - 1]):
            refused["bad_checksum"] += 1
            continue
        fields = match[3].split(b",")
        if (len(fields) != 6 or not re.fullmatch(rb"[1-9]", fields[0]) or
                not re.fullmatch(rb"[1-9]", fields[1]) or fields[1] > fields[0] or
                not re.fullmatch(rb"[0-9]?", fields[2]) or len(fields[3]) > 1 or
                not re.fullmatch(rb"[0-5]", fields[5])):
            refused["malformed"] += 1
            continue
        if not fields[4]:
            refused["empty_payload"] += 1
            continue
        if any(c not in BITS for c in fields[4]):
            refused["bad_armor"] += 1
            continue
        bits = "".join(BITS[c] for c in fields[4])
        bits = bits[:len(bits) - int(fields[5])]
        total, part = int(fields[0]), int(fields[1])
        held = 1
        if total > 1:
            key = (match[1], match[2], fields[3], fields[2])
            have = pending.get(key)
            if have and have[0] == total and len(have[1]) >= part and have[1][part - 1] == bits:
                refused["duplicate_fragment"] += 1
                continue
            if have and (have[0] != total or part != len(have[1]) + 1):
                lost += len(have[1])
                del pending[key]
                have = None
            if not have:
                if part != 1:
                    refused["orphan_fragment"] += 1
                    continue
                have = pending[key] = (total, [])
            have[1].append(bits)
            if len(have[1]) < total:
                continue
            del pending[key]
            bits, held = "".join(have[1]), total
        if len(bits) < 38:
            refused["bad_length"] += held
            continue
        kind = verdict(bits)
        if isinstance(kind, int):
            types[kind] += 1
            whole += held
        else:
            refused[kind] += held
    lost += sum(len(have[1]) for have in pending.values())
    assert len(lines) == whole + lost + sum(refused.values())
    print(name.split("/")[-1], len(lines), "|", dict(sorted(refused.items())), "|",
          "{" + ", ".join("{%d, %d}" % item for item in sorted(types.items())) + "}", "|",
          whole, "|", lost)


if __name__ == "__main__":
    for file in sys.argv[1:]:
        count(file)
