#!/usr/bin/env python3
"""One table, and the same figures as JSON, of what the benches have written: a row a line, each with its samples.

    report.py [--quick] [--load LOAD] [--cycles FILE] [--json FILE] ROWS...

A figure is the median of a row's samples, its spread their least and greatest. A sample is wall time divided by the cycles of all
threads together, in nanoseconds, or in a bench of requests their number per second. The contenders take turns: the samples of the
same place in their rows were taken shortly after each other, while the machine did much the same else. A ratio of two contenders is
therefore the median of the ratios of such pairs, in which noise that lasts longer than a turn cancels out.

What --cycles names is the JSON of ./dev cycles: instructions, which are the same on every processor, beside the bars that are not.
"""

import argparse
import collections
import json
import math
import os
import platform
import statistics
import subprocess
import sys

# What each bench measures, in the order of the table.
BENCHES = {
    'rust-cycle': 'Rust: lease + update of the expiry + release',
    'c-cycle': 'C ABI, through the shared library: lease + release with a new expiry',
    'java-cycle': 'Java pools: lease + update of the expiry + release',
    'httpclient3-cycle': 'HttpClient 3.1 managers: getConnectionWithTimeout + releaseConnection',
    'httpclient4-cycle': 'HttpClient 4.5 managers: requestConnection + get + releaseConnection',
    'httpcore5-cycle': 'Pools of HttpCore 5, by ManagedConnPool: lease + get + update of the expiry + release',
    'httpclient4-requests': 'HttpClient 4.5 against nginx: requests per second',
    'httpclient5-requests': 'HttpClient 5, classic, against nginx: requests per second',
}

# The benches whose samples are not nanoseconds.
PER_SECOND = {'httpclient4-requests', 'httpclient5-requests'}


def figure(bench):
    """The name of a bench's figure."""
    return 'requests_per_second' if bench in PER_SECOND else 'ns_per_op'


# Its ratios are those of the pairs of samples, in the order of the turns. It is judged by their median and the interval of that.
# Without routes of its own it is for any number of them.
Bar = collections.namedtuple('Bar', 'bench text threads ratios is_met routes', defaults=[None])

# What a lease and its release took in instructions when the bar was set, with rustc 1.95 and JDK 17. They may take a twentieth more.
INSTRUCTIONS = {'engine': 316, 'rust-route': 580, 'rust-key': 940, 'c': 602, 'native-half': 351, 'java': 911}


def divided(above, below):
    """Each sample by the one of the same turn."""
    if len(above) != len(below):
        raise ValueError(f'{len(above)} samples beside {len(below)}: they were not taken in turn')
    return [a / b for a, b in zip(above, below)]


def at_most(bench, contender, times, other, threads, other_bench=None):
    """The contender takes at most so many times what the other takes."""
    other_bench = other_bench or bench
    name = other if other_bench == bench else f"{other_bench}'s {other}"
    return Bar(bench, f'{contender} ÷ {name} ≤ {times}', threads,
               lambda of, t, r: divided(of[bench, contender, t, r], of[other_bench, other, t, r]), lambda ratio, _: ratio <= times)


def times_fewer(bench, contender, times, other, threads, routes=None):
    """The other takes at least so many times what the contender takes."""
    return Bar(bench, f'{other} ÷ {contender} ≥ {times}', threads,
               lambda of, t, r: divided(of[bench, other, t, r], of[bench, contender, t, r]), lambda ratio, _: ratio >= times, routes)


def not_slower_than_alone(bench, contender, threads):
    """No more for a cycle than on one thread."""
    return Bar(bench, f'{contender} ÷ itself on 1 thread ≤ 1', threads,
               lambda of, t, r: divided(of[bench, contender, t, r], of[bench, contender, 1, r]), lambda ratio, _: ratio <= 1)


def times_more(bench, contender, times, other, threads):
    """The contender does at least so many times what the other does per second."""
    return Bar(bench, f'{contender} ÷ {other} ≥ {times}', threads,
               lambda of, t, r: divided(of[bench, contender, t, r], of[bench, other, t, r]), lambda ratio, _: ratio >= times)


def as_many_as(bench, contender, other, threads):
    """The contender does as many per second as the other, as far as the samples can tell: the interval of the ratio reaches 1."""
    return Bar(bench, f'{contender} ÷ {other} reaches 1', threads,
               lambda of, t, r: divided(of[bench, contender, t, r], of[bench, other, t, r]), lambda _, interval: interval[1] >= 1)


def interval_of_median(values):
    """Where the median of what the values are samples of lies, with 95 percent: between two of them in their order, which suppose nothing of
    how they are distributed. How many of n lie below it is a matter of n coins."""
    ordered, n = sorted(values), len(values)
    outside, below = 0, 0.0
    while outside < n // 2 and below + math.comb(n, outside) / 2**n <= 0.025:
        below += math.comb(n, outside) / 2**n
        outside += 1
    return ordered[max(outside - 1, 0)], ordered[min(n - outside, n - 1)]


BARS = [
    at_most('rust-cycle', 'leasehold', 2.5, 'mutex-vec', [1]),
    not_slower_than_alone('rust-cycle', 'leasehold', [2, 8, 32]),
    at_most('c-cycle', 'leasehold', 1.5, 'leasehold', [1, 2, 8, 32], 'rust-cycle'),
    times_fewer('java-cycle', 'leasehold', 3, 'httpcore5-strict', [1, 2, 8, 32]),
    times_fewer('java-cycle', 'leasehold', 2, 'httpcore5-offlock', [1, 2, 8, 32]),
    times_fewer('httpclient3-cycle', 'leasehold', 2, 'httpclient3-multithreaded', [1]),
    times_fewer('httpclient3-cycle', 'leasehold', 4, 'httpclient3-multithreaded', [8, 32]),
    times_fewer('httpclient4-cycle', 'leasehold', 2, 'httpclient4-pooling', [1, 8, 32]),
    times_fewer('httpcore5-cycle', 'leasehold', 3, 'httpcore5-strict', [1, 2, 8, 32]),
    times_fewer('httpcore5-cycle', 'leasehold', 2, 'httpcore5-lax', [1, 2, 8, 32]),
    # Without another thread or route it has nothing that could be in its way.
    times_fewer('httpcore5-cycle', 'leasehold', 1.3, 'httpcore5-offlock', [1], [1]),
    times_fewer('httpcore5-cycle', 'leasehold', 1.5, 'httpcore5-offlock', [2, 8, 32], [1]),
    times_fewer('httpcore5-cycle', 'leasehold', 1.5, 'httpcore5-offlock', [1, 2, 8, 32], [64]),
    times_more('httpclient4-requests', 'leasehold', 10, 'httpclient4-checked', [1]),
    # Nobody looks, and so it is the same work.
    as_many_as('httpclient4-requests', 'leasehold-unchecked', 'httpclient4-unchecked', [1, 16]),
    # A look at every lease against none: a system call, which keeps two promises that nothing cheaper keeps.
    times_more('httpclient4-requests', 'leasehold', 0.99, 'httpclient4-unchecked', [1]),
    times_more('httpclient4-requests', 'leasehold', 0.95, 'httpclient4-unchecked', [16]),
    as_many_as('httpclient5-requests', 'leasehold-unchecked', 'httpclient5-unchecked', [1, 16]),
    times_more('httpclient5-requests', 'leasehold', 0.95, 'httpclient5-unchecked', [1, 16]),
]

LABEL = 58
CELL = 10


def read(files):
    rows = []
    for file in files:
        with open(file, encoding='utf-8') as lines:
            for line in lines:
                rows.append(json.loads(line))
    return rows


def summary(row):
    """The row with figures in place of its samples."""
    samples = row['samples']
    return {**row, figure(row['bench']): round(statistics.median(samples), 1),
            'spread': [round(min(samples), 1), round(max(samples), 1)], 'samples': len(samples)}


def judge(rows):
    """Every bar in every cell that was measured."""
    of = {(row['bench'], row['contender'], row['threads'], row['routes']): row['samples'] for row in rows}
    verdicts = []
    for bar in BARS:
        for routes in sorted(bar.routes or {row['routes'] for row in rows if row['bench'] == bar.bench}):
            for threads in bar.threads:
                ratios = bar.ratios(of, threads, routes)
                lower, ratio, upper = statistics.quantiles(ratios, method='inclusive')
                interval = interval_of_median(ratios)
                verdicts.append({'bench': bar.bench, 'bar': bar.text, 'threads': threads, 'routes': routes, 'ratio': round(ratio, 2),
                                 'quartiles': [round(lower, 2), round(upper, 2)], 'interval': [round(end, 3) for end in interval],
                                 'met': bar.is_met(ratio, interval)})
    return verdicts


def judge_instructions(counted):
    return [{'what': what, 'instructions': counted[what], 'most': took * 21 // 20, 'met': counted[what] <= took * 21 // 20}
            for what, took in INSTRUCTIONS.items() if what in counted]


def output_of(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def machine(load):
    with open('/proc/cpuinfo', encoding='utf-8') as lines:
        models = {line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')}
    java = output_of('java', '-version')
    return {
        'processor': ', '.join(sorted(models)) or platform.machine(),
        'processors': os.cpu_count(),
        'memory_gib': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30, 1),
        'kernel': platform.release(),
        'rustc': output_of('rustc', '--version'),
        'java': java.splitlines()[-1] if java else None,
        'load_before': load,
    }


def number(x):
    return f'{x:,.0f}' if x >= 99.95 else f'{x:.1f}' if x >= 9.995 else f'{x:.2f}'


def short_number(x):
    return f'{x:.0f}' if x < 9_999.5 else f'{x / 1_000:.0f}k'


def table(report):
    """As a person reads it."""
    lines = []
    facts = report['machine']
    lines.append(f"{facts['processor']}, {facts['processors']} processors, {facts['memory_gib']} GiB, Linux {facts['kernel']}")
    lines.append(f"{facts['rustc']}; {facts['java']}")
    lines.append(f"{report['mode']} run; load before it {facts['load_before']}")
    lines.append('ns: wall time of a run divided by the cycles of all its threads; median, and below it least to greatest')
    lines.append('÷: median of the ratios of the two samples of each turn, taken shortly after each other; not the ratio of the medians')
    lines.append('reaches 1: where that median truly lies, with 95 percent, is not all below 1; the interval stands below')
    for bench in sorted({row['bench'] for row in report['rows']}, key=list(BENCHES).index):
        rows = [row for row in report['rows'] if row['bench'] == bench]
        cells = sorted({(row['routes'], row['threads']) for row in rows})

        def line(label, values):
            return (label.ljust(LABEL) + ''.join(values.get(cell, '').rjust(CELL) for cell in cells)).rstrip()

        lines += ['', f'{bench}    {BENCHES[bench]}']
        lines.append(line('  routes', {(r, t): str(r) for r, t in cells}))
        lines.append(line('  threads', {(r, t): str(t) for r, t in cells}))
        for contender in dict.fromkeys(row['contender'] for row in rows):
            of = {(row['routes'], row['threads']): row for row in rows if row['contender'] == contender}
            lines.append(line('  ' + contender, {cell: number(row[figure(bench)]) for cell, row in of.items()}))
            lines.append(line('', {cell: '–'.join(map(short_number, row['spread'])) for cell, row in of.items()}))
        bars = collections.defaultdict(list)
        for verdict in report['bars']:
            if verdict['bench'] == bench:
                bars[verdict['bar']].append(verdict)
        for bar, verdicts in bars.items():
            marked = {(v['routes'], v['threads']): number(v['ratio']) + (' ' if v['met'] else '!') for v in verdicts}
            lines.append(line('  ' + bar, marked))
            if bar.endswith('reaches 1'):
                lines.append(line('', {(v['routes'], v['threads']): '–'.join(f'{end:.2f}' for end in v['interval']) for v in verdicts}))
    if report['instructions']:
        lines += ['', 'instructions of one lease and its release, counted by callgrind, those of Java one by one: the same on every processor']
        for verdict in report['instructions']:
            mark = ' ' if verdict['met'] else '!'
            lines.append(f"{'  ' + verdict['what']:{LABEL}}{verdict['instructions']:{CELL}} {mark} at most {verdict['most']}")
    verdicts = report['bars'] + report['instructions']
    short = [verdict for verdict in verdicts if not verdict['met']]
    lines.append('')
    if short:
        lines.append(f'{len(short)} of {len(verdicts)} cells fall short of their bar (marked !)')
    else:
        lines.append(f'every bar is met, in all {len(verdicts)} cells')
    return '\n'.join(lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    arguments.add_argument('--quick', action='store_true', help='the rows are of a quick run')
    arguments.add_argument('--load', type=float, help="the machine's load average before the run")
    arguments.add_argument('--cycles', help='the instructions that ./dev cycles has counted')
    arguments.add_argument('--json', help='where to write the figures as data')
    arguments.add_argument('rows', nargs='+')
    chosen = arguments.parse_args()
    rows = read(chosen.rows)
    counted = {}
    if chosen.cycles:
        with open(chosen.cycles, encoding='utf-8') as file:
            counted = json.load(file)
    report = {
        'mode': 'quick' if chosen.quick else 'full',
        'definition': 'ns_per_op: wall time of a run divided by the cycles of all its threads, median of the samples; '
                      'requests_per_second: of all threads together, median of the samples; spread: least and greatest sample; '
                      'ratio: median of the ratios of the two samples of each turn, taken shortly after each other, which is not the '
                      'ratio of the medians; quartiles: the lower and the upper quartile of those ratios; '
                      'interval: where their median truly lies, with 95 percent',
        'machine': machine(chosen.load),
        'rows': [summary(row) for row in rows],
        'bars': judge(rows),
        'instructions': judge_instructions(counted),
    }
    print(table(report))
    if chosen.json:
        with open(chosen.json, 'w', encoding='utf-8') as file:
            json.dump(report, file, indent=1, ensure_ascii=False)
            file.write('\n')


if __name__ == '__main__':
    sys.exit(main())
