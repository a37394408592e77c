#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how Milvus stops, and whether a kill after SIGTERM can lose an acknowledged row.

The case: rows are inserted and flushed without pause; containers get SIGTERM, and SIGKILL when they are still there
--term seconds later; when their exit is proven, the leases of exactly their own session keys are revoked; they are
started again, as the same or as a newer version; then every row that was ever acknowledged is looked for. Nothing else
is assumed: not that SIGTERM did anything, not that the server flushed.

The engine, the images, the stacks and the client are those of tests/ground. runs.tsv has one line for each run and role,
results.tsv what follows from it: one line for each kind of row, with how often it was run. A kind that was never run is
in neither.
"""

import argparse
import base64
import collections
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
GROUND = HERE.parent.parent / "ground" / "ground"
IMAGE = "ground.local/milvusdb/milvus"
META = "by-dev/meta/"
NODES = ["proxy", "querynode", "indexnode", "datanode"]
COORDINATORS = ["rootcoord", "datacoord", "querycoord", "indexcoord"]
# What goes down side by side, then what follows; up again in the opposite order.
TIERS = {"standalone": [["standalone"]], "cluster": [NODES, COORDINATORS]}
QUEUE = {"standalone": "rocksmq", "cluster": "kafka"}

RUN_FIELDS = (
    "date version role queue scope restarted_as term_s term_to_exit_s exit keys_left acked missing found_after_s"
).split()
RESULT_FIELDS = (
    "version role queue scope restarted_as term_s runs term_to_exit_s exits keys_left acked missing verdict date"
).split()


class Broken(Exception):
    """The measurement could not be made; says nothing about Milvus's data."""


def say(text):
    print(f"stop table: {text}", file=sys.stderr, flush=True)


def call(*arguments, check=True, **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        raise Broken(f"{' '.join(map(str, arguments))}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done


class Stack:
    """One stack in a folder of its own, with its client."""

    def __init__(self, name, version, engine, address):
        self.name, self.version, self.address = name, version, address
        self.ground = [str(GROUND), "--name", engine]
        # A 2.1 is asked by a client of its time, which a 2.2 answers as well.
        self.client_verb = ["client", "--client", "2.1.3"] if version.startswith("2.1.") else ["client"]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stop-table."))
        exports = call(*self.ground, "env").stdout
        script = exports + "\nprintf '%s\\n' \"$DOCKER_HOST\" \"$DOCKER_CONFIG\""
        host, config = call("bash", "-c", script).stdout.split()
        self.environment = dict(os.environ, DOCKER_HOST=host, DOCKER_CONFIG=config)

    def __enter__(self):
        tag = f"v{self.version}"
        try:
            call(*self.ground, "stack", "up", self.name, self.folder, "--tag", tag, "--address", self.address)
        except Broken:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        call(*self.ground, "stack", "wipe", self.name, self.folder, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *arguments, check=True):
        return call("docker", *arguments, check=check, env=self.environment).stdout

    def client(self, *arguments, check=True):
        return call(*self.ground, *self.client_verb, *arguments, check=check)

    def etcdctl(self, *arguments):
        return self.docker("exec", "milvus-etcd", "etcdctl", *arguments)

    def state(self, role):
        return json.loads(self.docker("inspect", "-f", "{{json .State}}", f"milvus-{role}"))

    def ip(self, role):
        return json.loads(self.docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", f"milvus-{role}"))["milvus"][
            "IPAddress"
        ]

    def sessions(self):
        """Session keys by name: address without port, and what must be equal for a key to be the same one later."""
        found = {}
        for pair in json.loads(self.etcdctl("get", "--prefix", META + "session/", "-w", "json")).get("kvs", []):
            if not pair.get("lease"):
                continue  # session/id is a counter
            value = json.loads(base64.b64decode(pair["value"]))
            identity = (pair["create_revision"], f"{pair['lease']:x}", value["ServerID"])
            found[base64.b64decode(pair["key"]).decode()] = (value["Address"].rpartition(":")[0], identity)
        return found

    def revoke(self, own):
        """Revokes the leases of own (key to identity) that are unchanged; returns how many keys had stayed."""
        now = self.sessions()
        left = {key: identity for key, identity in own.items() if key in now}
        for key, identity in left.items():
            if now[key][1] != identity:
                raise Broken(f"{key} is not the key that was recorded while its server ran")
            lease = identity[1]
            attached = json.loads(self.etcdctl("lease", "timetolive", lease, "--keys", "-w", "json"))["keys"]
            strangers = {base64.b64decode(name).decode() for name in attached} - set(own)
            if strangers:
                raise Broken(f"lease {lease} also holds {sorted(strangers)}")
            self.etcdctl("lease", "revoke", lease)
        return left

    def stop(self, roles, term):
        """SIGTERM to all at once, SIGKILL to each that is still there after `term` seconds; role to (seconds, exit code)."""
        results = {}

        def end(role):
            started = time.monotonic()
            self.docker("kill", "--signal", "TERM", f"milvus-{role}", check=False)
            waited = subprocess.Popen(
                ["docker", "wait", f"milvus-{role}"], stdout=subprocess.PIPE, text=True, env=self.environment
            )
            try:
                waited.wait(max(0.0, started + term - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.docker("kill", "--signal", "KILL", f"milvus-{role}", check=False)
                waited.wait(30)
            results[role] = (time.monotonic() - started, int(waited.stdout.read()))

        threads = [threading.Thread(target=end, args=(role,)) for role in roles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for role in roles:
            if role not in results or self.state(role)["Running"]:
                raise Broken(f"milvus-{role} is not proven to have exited")
        return results

    def start(self, roles):
        call("docker", "compose", "up", "-d", "--no-deps", "--force-recreate", *roles, cwd=self.folder, env=self.environment)

    def migrate(self, version):
        """2.1 to 2.2 takes the migration of the metadata, by the product under test (MU_BINARY)."""
        file = self.folder / "migrate.yaml"
        etcd = "{endpoints: ['etcd:2379'], rootPath: by-dev, metaSubPath: meta, kvSubPath: kv}"
        file.write_text(
            f"cmd: {{type: run, runWithBackup: true}}\nmetastore: {{type: etcd}}\netcd: {etcd}\nconfig: {{sourceVersion: "
            f"{self.version}, targetVersion: {version}, backupFilePath: {self.folder}/metadata.bak}}\n", encoding="utf-8"
        )
        arguments = ["migrate", "-c", file, "--etcd-container", "milvus-etcd", "--yes"]
        call(os.environ["MU_BINARY"], *arguments, cwd=self.folder, env=self.environment)

    def set_version(self, version):
        file = self.folder / "docker-compose.yml"
        old, new = (f"{IMAGE}:v{v}" for v in (self.version, version))
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        self.version = version


class Inserts:
    """The client's insert loop while the block runs."""

    def __init__(self, stack, file):
        self.stack, self.file, self.process = stack, file, None

    def __enter__(self):
        command = [*self.stack.ground, *self.stack.client_verb, "insert-loop", str(self.stack.folder)]
        command += ["--out", str(self.file), "--interval", "10ms", "--flush", "1s"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def count(self):
        return len(self.file.read_text(encoding="utf-8").splitlines()) if self.file.exists() else 0

    def wait_for_more(self, inserts, seconds):
        goal, end = self.count() + inserts, time.monotonic() + seconds
        while self.count() < goal:
            if self.process.poll() is not None:
                raise Broken("the insert loop ended by itself")
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True


def look_for_all(stack, file, seconds):
    """Asks for every acknowledged row until all are found or the time is up: (acknowledged, missing, seconds)."""
    started = time.monotonic()
    while True:
        done = stack.client("count-acked", stack.folder, file, check=False)
        answer = json.loads(done.stdout) if done.stdout.strip() else None
        waited = time.monotonic() - started
        if done.returncode == 0:
            return answer["acknowledged"], 0, waited
        if waited > seconds:
            if answer is None:
                raise Broken(f"no answer within {seconds} s: {done.stderr.strip()[-300:]}")
            return answer["acknowledged"], answer["acknowledged"] - answer["found"], waited
        time.sleep(0.5)


def wait_for_same_search(stack, before, seconds):
    """The part that was flushed, indexed and loaded before: the same ids and distances, once it is loaded again."""
    end = time.monotonic() + seconds
    while True:
        done = stack.client("search", stack.folder, check=False)
        if done.stdout == before:
            return
        if time.monotonic() > end:
            raise Broken(f"the search answers differently afterwards: {done.stdout[:200]} {done.stderr[-200:]}")
        time.sleep(0.5)


def prove_the_check(stack, file):
    """A row that was never inserted must be missed, or `missing 0` says nothing."""
    absent = file.with_suffix(".absent")
    absent.write_text("1 1\n", encoding="utf-8")
    answer = json.loads(stack.client("count-acked", stack.folder, absent, check=False).stdout or "{}")
    if answer.get("missing") != [1]:
        raise Broken(f"the check did not miss a row that is not there: {answer}")


def measure(stack, tiers, scope, target, term):
    """One case on a running, seeded stack; returns one record for each role."""
    version = stack.version
    file = stack.folder / f"acked-{time.time_ns()}"
    before = stack.client("search", stack.folder).stdout
    stopped, left = {}, {}
    with Inserts(stack, file) as inserts:
        if not inserts.wait_for_more(150, 60):
            raise Broken("the insert loop acknowledged fewer than 150 inserts in 60 s")
        prove_the_check(stack, file)
        sessions = stack.sessions()
        own = {}
        for role in sum(tiers, []):
            address = stack.ip(role)
            own[role] = {key: identity for key, (where, identity) in sessions.items() if where == address}
            # From 2.3 on the work of indexcoord is done by datacoord: its container runs, without a session.
            if not own[role] and not (role == "indexcoord" and not version.startswith("2.2.")):
                raise Broken(f"{role} has no session key, so it cannot be told which are its own")
        for tier in tiers:
            stopped.update(stack.stop(tier, term))
            for role in tier:
                left[role] = stack.revoke(own[role])
        if target != version:
            if version.startswith("2.1."):
                stack.migrate(target)
            stack.set_version(target)
        for tier in reversed(tiers):
            stack.start(tier)
        if not inserts.wait_for_more(20, 120):
            raise Broken(f"no insert was acknowledged within 120 s of the start as {target}")
    acked, missing, seconds = look_for_all(stack, file, 120)
    wait_for_same_search(stack, before, 120)
    today = datetime.date.today().isoformat()
    records = []
    for role, (took, code) in stopped.items():
        figures = [f"{took:.2f}", code, f"{len(left[role])}/{len(own[role])}", acked, missing, f"{seconds:.1f}"]
        values = [today, version, role, QUEUE[stack.name], scope, target, f"{term:g}", *figures]
        records.append(dict(zip(RUN_FIELDS, map(str, values))))
    return records


def read_table(file, fields):
    if not file.exists():
        return []
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    if lines and lines[0].split("\t") != fields:
        raise SystemExit(f"stop table: {file}: its columns are not those of this program")
    return [dict(zip(fields, line.split("\t"))) for line in lines[1:]]


def table(fields, records):
    return "".join("\t".join(values) + "\n" for values in [fields, *([r[f] for f in fields] for r in records)])


def summarise(runs):
    """results.tsv from runs.tsv: a kind of row is kept only if no run of it missed a row."""
    kinds = collections.defaultdict(list)
    for run in runs:
        kinds[tuple(run[f] for f in RESULT_FIELDS[:6])].append(run)
    results = []
    for kind, members in sorted(kinds.items()):
        took = [float(run["term_to_exit_s"]) for run in members]
        missing = sum(int(run["missing"]) for run in members)
        result = dict(zip(RESULT_FIELDS, kind))
        result["runs"] = str(len(members))
        result["term_to_exit_s"] = f"{min(took):.2f}-{max(took):.2f}"
        result["exits"] = ",".join(sorted({run["exit"] for run in members}))
        result["keys_left"] = ",".join(sorted({run["keys_left"] for run in members}))
        result["acked"] = str(sum(int(run["acked"]) for run in members))
        result["missing"] = str(missing)
        result["verdict"] = "lost" if missing else "kept"
        result["date"] = max(run["date"] for run in members)
        results.append(result)
    return results


def parse_case(text):
    """VERSION[>VERSION]:standalone | VERSION[>VERSION]:cluster | VERSION:ROLE of the cluster, the others running on."""
    versions, _, what = text.partition(":")
    version, _, target = versions.partition(">")
    if what in TIERS:
        return what, version, TIERS[what], "together", target or version
    if what in NODES + COORDINATORS and not target:
        return "cluster", version, [[what]], "alone", version
    raise argparse.ArgumentTypeError(f"'{text}' is not VERSION[>VERSION]:standalone|cluster or VERSION:ROLE")


SAMPLE = ["2.2.16>2.3.5:standalone"]
ALL = [
    *(f"{versions}:{name}" for versions in ("2.2.16>2.3.5", "2.2.16", "2.3.5") for name in ("standalone", "cluster")),
    "2.1.0>2.2.16:standalone",
    *(f"{version}:{role}" for version in ("2.2.16", "2.3.5") for role in NODES + COORDINATORS),
]


def record_runs(records):
    runs = read_table(HERE / "runs.tsv", RUN_FIELDS) + records
    (HERE / "runs.tsv").write_text(table(RUN_FIELDS, runs), encoding="utf-8")
    (HERE / "results.tsv").write_text(table(RESULT_FIELDS, summarise(runs)), encoding="utf-8")


def measure_all(arguments, cases):
    """Prints a line for each run and role; returns how many lines lost rows plus how many cases could not be measured."""
    print("\t".join(RUN_FIELDS + ["verdict"]), flush=True)
    verdicts = collections.Counter()
    for case, (name, version, tiers, scope, target) in list(cases.items()) * arguments.runs:
        try:
            with Stack(name, version, arguments.engine, arguments.address) as stack:
                call(*stack.ground, "images", f"{IMAGE}:v{target}")  # before it matters
                stack.client("seed", stack.folder)
                records = measure(stack, tiers, scope, target, arguments.term)
        except (Broken, subprocess.SubprocessError, ValueError, KeyError) as error:
            say(f"{case}: not measured: {error}")
            verdicts["unmeasured"] += 1
            continue
        for record in records:
            verdict = "lost" if int(record["missing"]) else "kept"
            verdicts[verdict] += 1
            print("\t".join([*record.values(), verdict]), flush=True)
        if arguments.record:
            record_runs(records)
    say("{kept} rows of the table kept every acknowledged row, {lost} lost some, {unmeasured} cases were not measured".format(
        **{"kept": 0, "lost": 0, "unmeasured": 0, **verdicts}
    ))
    return verdicts["lost"] + verdicts["unmeasured"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("cases", nargs="*", help=f"VERSION[>VERSION]:standalone|cluster, or VERSION:ROLE; all: {' '.join(ALL)}")
    parser.add_argument("--sample", action="store_true", help="one case, for the short test run")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--term", type=float, default=1.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument(
        "--engine",
        default=os.environ.get("MU_GROUND_NAME", "stops"),  # ./test names its own
        help="name of the ground's engine; started and stopped if it does not run (MU_GROUND_NAME, else stops)",
    )
    parser.add_argument("--address", default="127.0.0.7", help="loopback address of the stack's ports")
    parser.add_argument("--record", action="store_true", help="add the runs to runs.tsv and make results.tsv anew")
    arguments = parser.parse_args()

    cases = arguments.cases or (SAMPLE if arguments.sample else ALL)
    try:
        parsed = [parse_case(case) for case in cases]
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    ground = [str(GROUND), "--name", arguments.engine]
    ours = call(*ground, "engine", "status", check=False).returncode != 0
    if ours:
        call(*ground, "engine", "start")
    try:
        failures = measure_all(arguments, dict(zip(cases, parsed)))
    finally:
        if ours:
            call(*ground, "engine", "stop", check=False)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
