#!/usr/bin/env python3
"""Draws a recorded run: chart.py docs/bench.json docs/bench.svg, or chart.py docs/demo.json docs/demo.svg

Of ./dev bench, one panel for each bench below that the run has, on one route: a group of bars for each number of threads, the median
with a whisker from the least to the greatest sample. Of ./dev demo, a table with what matters of each way to run the same program.
"""

import json
import math
import sys
from collections import namedtuple
from xml.sax.saxutils import escape

# A bench's title, its figure and what that is, and its contenders' names in the order of the bars.
Panel = namedtuple('Panel', 'title figure unit names')

PANELS = {
    'java-cycle': Panel('Java pools: lease + update of the expiry + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'Leasehold ConnectionPool',
        'httpcore5-offlock': 'httpcore5 RouteSegmentedConnPool',
        'httpcore5-strict': 'httpcore5 StrictConnPool',
    }),
    'httpcore5-cycle': Panel('Pools of HttpCore 5, by ManagedConnPool: lease + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'LeaseholdConnPool',
        'httpcore5-offlock': 'RouteSegmentedConnPool',
        'httpcore5-strict': 'StrictConnPool',
        'httpcore5-lax': 'LaxConnPool',
    }),
    'httpclient3-cycle': Panel('HttpClient 3.1 managers: lease + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'Leasehold…MultiThreadedHttpConnectionManager',
        'httpclient3-multithreaded': 'MultiThreadedHttpConnectionManager',
    }),
    'httpclient4-cycle': Panel('HttpClient 4.5 managers: lease + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'LeaseholdHttpClientConnectionManager',
        'httpclient4-pooling': 'PoolingHttpClientConnectionManager',
    }),
    'httpclient4-requests': Panel('HttpClient 4.5: GETs from nginx', 'requests_per_second', 'requests per second, more is better', {
        'leasehold': 'Leasehold, looks at every lease',
        'httpclient4-unchecked': 'stock, check off',
        'httpclient4-checked': 'stock, checks every request',
        'leasehold-unchecked': 'Leasehold, look off',
    }),
    'httpclient5-requests': Panel('HttpClient 5: GETs from nginx', 'requests_per_second', 'requests per second, more is better', {
        'leasehold': 'Leasehold, looks at every lease',
        'httpclient5-unchecked': 'stock, validation off',
        'leasehold-unchecked': 'Leasehold, look off',
    }),
}

WIDTH = 840
LEFT = 64
RIGHT = 20
PLOT = 200
PANEL = PLOT + 112
WIDEST_BAR = 64
STYLE = '''
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 14px; font-weight: 600 }
.small { font-size: 11px; fill: #59636e }
.value { text-anchor: middle }
.tick { text-anchor: end; font-size: 11px; fill: #59636e }
.axis, .whisker { stroke: #59636e; stroke-width: 1; fill: none }
.grid { stroke: #d1d9e0; stroke-width: 1; fill: none }
.bar0 { fill: #1a7f64 } .bar1 { fill: #8c96a1 } .bar2 { fill: #bcc3ca } .bar3 { fill: #83c5b1 }
.word { font-size: 17px; font-weight: 600; text-anchor: middle } .number { font-size: 17px; text-anchor: middle }
.good { fill: #1a7f64 } .bad { fill: #c93c37 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small, .tick { fill: #9198a1 } .axis, .whisker { stroke: #9198a1 } .grid { stroke: #3d444d }
  .bar0 { fill: #2ea783 } .bar1 { fill: #6e7781 } .bar2 { fill: #484f58 } .bar3 { fill: #1c5f4c }
  .good { fill: #2ea783 } .bad { fill: #f47067 }
}'''


def text(x, y, words, css=''):
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{css}">{escape(words)}</text>'


def svg(title, height, parts):
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f'<title>{escape(title)}</title>',
        f'<style>{STYLE}\n</style>',
        *parts,
        '</svg>',
        '',
    ])


def ticks(highest):
    """Round numbers from nothing to the highest, at most seven."""
    power = 10 ** math.floor(math.log10(highest / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if highest / (power * factor) <= 6)
    return [step * i for i in range(int(highest / step) + 1)]


def legend(top, names):
    """The contenders' names, on as many lines as they take, and where the last line is."""
    parts, x = [], LEFT
    for i, name in enumerate(names):
        width = 36 + 6.4 * len(name)
        if x > LEFT and x + width > WIDTH - RIGHT:
            x, top = LEFT, top + 17
        parts.append(f'<rect x="{x:.0f}" y="{top - 10}" width="11" height="11" class="bar{i}"/>')
        parts.append(text(x + 16, top, name, 'small'))
        x += width
    return parts, top


def panel(top, what, rows):
    """A bench's bars, as high as its greatest median leaves room for."""
    threads = sorted({row['threads'] for row in rows})
    of = {(row['contender'], row['threads']): row for row in rows}
    highest = max(row[what.figure] for row in rows)
    names, base = legend(top + 34, what.names.values())
    base += 20 + PLOT

    # A whisker that would leave the panel is cut at its edge.
    edge = 1.06
    def height(value):
        return min(value / highest, edge) * (PLOT - 28)

    parts = [text(LEFT, top + 14, f'{what.title}, {what.unit}', 'title'), *names]
    for tick in ticks(highest):
        y = base - height(tick)
        parts.append(text(LEFT - 8, y + 4, f'{tick:,.0f}', 'tick'))
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" class="{"grid" if tick else "axis"}"/>')
    group = (WIDTH - LEFT - RIGHT) / len(threads)
    bar = min(WIDEST_BAR, group * 0.86 / len(what.names))
    for g, count in enumerate(threads):
        middle = LEFT + group * (g + 0.5)
        measured = [(i, of[contender, count]) for i, contender in enumerate(what.names) if (contender, count) in of]
        for place, (i, row) in enumerate(measured):
            left = middle + bar * (place - len(measured) / 2)
            h = height(row[what.figure])
            low, high = (base - height(value) for value in row['spread'])
            center = left + bar / 2
            parts.append(f'<rect x="{left + 2:.1f}" y="{base - h:.1f}" width="{bar - 4:.1f}" height="{h:.1f}" class="bar{i}"/>')
            end = 'm-4 0h8m-4 0' if row['spread'][1] < highest * edge else ''
            parts.append(f'<path d="M{center:.1f} {high:.1f}{end}V{low:.1f}m-4 0h8" class="whisker"/>')
            parts.append(text(center, min(base - h, high) - 5, f'{row[what.figure]:,.0f}', 'value'))
        parts.append(text(middle, base + 17, f'{count} thread' + 's' * (count > 1), 'small value'))
    return parts


def bench(run):
    parts = []
    top = 10
    for name, what in PANELS.items():
        rows = [row for row in run['rows'] if row['bench'] == name and row['routes'] == 1]
        if rows:
            parts += panel(top, what, rows)
            top += PANEL
    facts = run['machine']
    notes = [
        'A bar and its number are the median of the samples. The thin line, the whisker, goes from the least sample to the greatest;',
        'where its upper end has no stroke, the greatest is outside of the chart.',
        'ns: wall time divided by the operations of all threads; one route.',
        f'{facts["processor"]}, {facts["processors"]} processors. {facts["java"]}.',
    ]
    for note in notes:
        parts.append(text(LEFT, top, note, 'small'))
        top += 16
    return svg('What a lease and its release cost, and what that is in requests', top + 4, parts)


# The demo's columns, as the program says them and as people do.
COLUMNS = {'stock': 'HttpClient 3.1 as shipped', 'stock_unchecked': 'its stale check off', 'leasehold': 'on Leasehold'}


def demo(run):
    fastest = max(column['requests_per_second'] for column in run.values())
    label, row = 215, 44
    width = (WIDTH - label - RIGHT) / len(COLUMNS)
    rows = ['requests per second, one thread', 'POSTs that failed', 'sockets left in CLOSE_WAIT', 'in a word']
    parts = []
    for r, name in enumerate(rows):
        y = 40 + row * r
        parts.append(f'<path d="M{RIGHT} {y}H{WIDTH - RIGHT}" class="grid"/>')
        parts.append(text(RIGHT, y + 27, name))
    for c, (key, title) in enumerate(COLUMNS.items()):
        column = run[key]
        is_slow, is_lossy = column['requests_per_second'] < fastest / 2, column['requests_failed'] > 0
        cells = [
            (f'{column["requests_per_second"]:,.0f}', is_slow),
            (f'{column["posts_failed"]:,} of {column["posts"]:,}', column['posts_failed'] > 0),
            (f'{column["close_wait"]:,}', column['close_wait'] > 0),
            (', '.join(['slow'] * is_slow + ['lossy'] * is_lossy) or 'neither', is_slow or is_lossy),
        ]
        center = label + width * (c + 0.5)
        parts.append(text(center, 27, title, 'title value'))
        for r, (words, is_bad) in enumerate(cells):
            css = ('word' if r == len(cells) - 1 else 'number') + (' bad' if is_bad else ' good')
            parts.append(text(center, 40 + row * r + 28, words, css))
    return svg('One program on HttpClient 3.1 as shipped, with its stale check off, and on Leasehold', 40 + row * len(rows) + 8, parts)


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: chart.py RUN.json CHART.svg')
    with open(sys.argv[1], encoding='utf-8') as file:
        run = json.load(file)
    with open(sys.argv[2], 'w', encoding='utf-8') as file:
        file.write(bench(run) if 'rows' in run else demo(run))


if __name__ == '__main__':
    main()
