#!/usr/bin/env python3
"""Draws a recorded run of ./dev bench: chart.py docs/bench.json docs/bench.svg

One panel for each bench below that the run has, on one route: a group of bars for each number of threads, the median with a
whisker from the least to the greatest sample.
"""

import json
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
    'httpclient3-cycle': Panel('HttpClient 3.1 managers: lease + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'Leasehold…MultiThreadedHttpConnectionManager',
        'httpclient3-multithreaded': 'MultiThreadedHttpConnectionManager',
    }),
    'httpclient4-cycle': Panel('HttpClient 4.5 managers: lease + release', 'ns_per_op', 'ns, less is better', {
        'leasehold': 'LeaseholdHttpClientConnectionManager',
        'httpclient4-pooling': 'PoolingHttpClientConnectionManager',
    }),
    'httpclient4-requests': Panel('HttpClient 4.5: GETs from nginx', 'requests_per_second', 'requests per second, more is better', {
        'leasehold': 'Leasehold, each lease validated',
        'httpclient4-unchecked': 'stock, validation off',
        'httpclient4-checked': 'stock, each request checked',
        'leasehold-unchecked': 'Leasehold, validation off',
    }),
}

WIDTH = 840
LEFT = 40
PLOT = 200
PANEL = PLOT + 110
BAR = 44
STYLE = '''
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 14px; font-weight: 600 }
.small { font-size: 11px; fill: #59636e }
.value { text-anchor: middle }
.axis, .whisker { stroke: #59636e; stroke-width: 1 }
.bar0 { fill: #1a7f64 } .bar1 { fill: #8c96a1 } .bar2 { fill: #bcc3ca } .bar3 { fill: #83c5b1 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small { fill: #9198a1 } .axis, .whisker { stroke: #9198a1 }
  .bar0 { fill: #2ea783 } .bar1 { fill: #6e7781 } .bar2 { fill: #484f58 } .bar3 { fill: #1c5f4c }
}'''


def text(x, y, words, css=''):
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{css}">{escape(words)}</text>'


def panel(top, what, rows):
    """A bench's bars, as high as its greatest median leaves room for."""
    threads = sorted({row['threads'] for row in rows})
    of = {(row['contender'], row['threads']): row for row in rows}
    highest = max(row[what.figure] for row in rows)
    base = top + 50 + PLOT
    # A whisker that would leave the panel is cut at its edge.
    def height(value):
        return min(value / highest, 1.08) * (PLOT - 25)

    parts = [text(LEFT, top + 14, f'{what.title}, {what.unit}', 'title')]
    x = LEFT
    for i, name in enumerate(what.names.values()):
        parts.append(f'<rect x="{x:.0f}" y="{top + 23}" width="11" height="11" class="bar{i}"/>')
        parts.append(text(x + 16, top + 33, name, 'small'))
        x += 40 + 6.2 * len(name)
    group = (WIDTH - 2 * LEFT) / len(threads)
    for g, count in enumerate(threads):
        middle = LEFT + group * (g + 0.5)
        measured = [(i, of[contender, count]) for i, contender in enumerate(what.names) if (contender, count) in of]
        for place, (i, row) in enumerate(measured):
            left = middle + BAR * (place - len(measured) / 2)
            h = height(row[what.figure])
            low, high = (base - height(value) for value in row['spread'])
            center = left + BAR / 2 - 2
            parts.append(f'<rect x="{left:.1f}" y="{base - h:.1f}" width="{BAR - 4}" height="{h:.1f}" class="bar{i}"/>')
            parts.append(f'<path d="M{center:.1f} {low:.1f}V{high:.1f}" class="whisker"/>')
            parts.append(text(center, min(base - h, high) - 5, f'{row[what.figure]:,.0f}', 'value'))
        parts.append(text(middle, base + 17, f'{count} thread' + 's' * (count > 1), 'small value'))
    parts.append(f'<path d="M{LEFT} {base}H{WIDTH - LEFT}" class="axis"/>')
    return parts


def chart(run):
    parts = []
    top = 10
    for bench, what in PANELS.items():
        rows = [row for row in run['rows'] if row['bench'] == bench and row['routes'] == 1]
        if rows:
            parts += panel(top, what, rows)
            top += PANEL
    facts = run['machine']
    parts.append(text(LEFT, top, 'ns: wall time divided by the operations of all threads; one route. '
                      f'{facts["processor"]}, {facts["processors"]} processors.', 'small'))
    parts.append(text(LEFT, top + 16, facts['java'], 'small'))
    height = top + 30
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        '<title>What a lease and its release cost, and what that is in requests</title>',
        f'<style>{STYLE}\n</style>',
        *parts,
        '</svg>',
        '',
    ])


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: chart.py RUN.json CHART.svg')
    with open(sys.argv[1], encoding='utf-8') as file:
        run = json.load(file)
    with open(sys.argv[2], 'w', encoding='utf-8') as file:
        file.write(chart(run))


if __name__ == '__main__':
    main()
