#!/usr/bin/env python3
"""Shows what examples/spring-boot3 does to a real Prometheus, and runs every query of its Grafana dashboard there: each gives a series.

usage: tests/prometheus.py JAR URL

JAR is the example, packed to be run, URL what its backend is to be. The application, Prometheus and this program find each other on ports
that the system gives out: each says in its log which it has. Nothing is waited for but conditions, for five minutes in all.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "examples/spring-boot3/grafana/leasehold.json"
PATIENCE = 300
NAME = "backend"

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: example
    metrics_path: /actuator/prometheus
    static_configs:
      - targets: ['127.0.0.1:{port}']
"""

deadline = time.monotonic() + PATIENCE


class Program:
    """A program that runs until it is no longer wanted, and what it has written."""

    def __init__(self, name, *command):
        self.name = name
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def written(self):
        self.output.seek(0)
        return self.output.read()

    def port(self, said):
        """The port that it says it has, in a line of this form."""
        return int(wait_for(f"{self.name}'s port", lambda: self.check() and re.search(said, self.written()))[1])

    def check(self):
        if self.process.poll() is not None:
            sys.exit(f"{self.name} has ended by itself:\n{self.written()}")
        return True

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def wait_for(what, condition):
    """What the condition gives, as soon as that is something."""
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def queries():
    """Every query of the dashboard, by where it is, as Grafana would send it."""
    dashboard = json.loads(DASHBOARD.read_text())
    found = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            found[f"the variable {variable['name']}"] = f"count by ({label}) ({metric})"
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']}, {target['refId']}"] = target["expr"]
    for where, query in found.items():
        # A rate takes two samples.
        for name, value in {"$__rate_interval": "10s", "$httpclient": NAME}.items():
            query = query.replace(name, value)
        if "$" in query:
            sys.exit(f"{where} has a variable that this program does not know: {query}")
        found[where] = query
    return found


def ask(prometheus, query):
    answer = json.loads(get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    return [float(series["value"][1]) for series in answer["data"]["result"]]


def main():
    jar, backend = sys.argv[1:]
    programs = []
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        application = Program("the example", "java", "-jar", jar, "--server.port=0", f"--backend={backend}")
        programs.append(application)
        front = application.port(r"Tomcat started on port (\d+)")
        (work / "prometheus.yml").write_text(CONFIG.format(port=front))
        prometheus = Program("Prometheus", "prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data",
                             "--web.listen-address=127.0.0.1:0")
        programs.append(prometheus)
        there = f"http://127.0.0.1:{prometheus.port(r'Listening on.* address=127.0.0.1:([1-9][0-9]*)')}"

        asked = queries()
        empty = dict(asked)

        def all_give_series():
            application.check()
            prometheus.check()
            get(f"http://127.0.0.1:{front}/")
            for where, query in list(empty.items()):
                if ask(there, query):
                    del empty[where]
            return not empty

        try:
            wait_for("a series from each query", all_give_series)
        except SystemExit:
            scraped = get(f"http://127.0.0.1:{front}/actuator/prometheus").decode()
            sys.exit("\n".join(["no series from", *(f"  {where}: {query}" for where, query in empty.items()), "of", scraped]))
        # They are the pool's.
        for query, expected in {
            f'httpcomponents_httpclient_pool_total_max{{httpclient="{NAME}"}}': 200,
            f'leasehold_pool_opened_total{{httpclient="{NAME}"}}': 1,
            f'leasehold_pool_requests_total{{httpclient="{NAME}", result="opening"}}': 1,
        }.items():
            wait_for(f"{query} to be {expected}", lambda: ask(there, query) == [expected])
        print(f"Prometheus has a series for each of {len(asked)} queries of the dashboard")
    finally:
        for program in reversed(programs):
            program.end()
        shutil.rmtree(work)


main()
