# SPDX-License-Identifier: Apache-2.0
"""Makes milvus.yaml, as a server with etcd and an S3 store outside reads it, from the embedded server's template.

Usage: configure.py TEMPLATE OUTPUT
"""

import re
import sys

# Values of the official image for what the template leaves to its caller.
VALUES = {
    "etcd_data_dir": "default.etcd",
    "etcd_log_path": "stdout",
    "local_storage_dir": "/var/lib/milvus/data/",
    "rocksmq_data_dir": "/var/lib/milvus/rdb_data",
    "rocketmq_data_dir": "/var/lib/milvus/rdb_data",
    "root_coord_port": "53100",
    "query_coord_port": "19531",
    "query_node_port": "21123",
    "index_coord_port": "31000",
    "index_node_port": "21121",
    "data_coord_port": "13333",
    "data_node_port": "21124",
    "system_log_level": "info",
    "log_stdout": "true",
    "system_log_path": '""',
}

# Settings that make the server embedded, by their path, and what a server is given instead.
SETTINGS = {
    ("etcd", "use", "embed"): "false",
    ("common", "storageType"): "minio",
    ("log", "stdout"): "true",
}


def fill(line):
    def value(match):
        name, _, default = match.group(1).partition(":")
        name = re.sub(r"\(.*\)", "", name).strip()
        if name in VALUES:
            return VALUES[name]
        if not default.strip():
            raise SystemExit(f"configure.py: no value is known for {name}")
        return default.strip()

    return re.sub(r"\{\{(.*?)\}\}", value, line)


def main():
    template, output = sys.argv[1:]
    path, lines, seen = [], [], set()
    with open(template, encoding="utf-8") as file:
        for line in file.read().splitlines():
            line = fill(line)
            setting = re.match(r"^( *)([A-Za-z0-9_]+):([^#]*)", line)
            if setting:
                path = path[: len(setting.group(1)) // 2] + [setting.group(2)]
                if tuple(path) in SETTINGS:
                    seen.add(tuple(path))
                    line = f"{setting.group(1)}{setting.group(2)}: {SETTINGS[tuple(path)]}"
            lines.append(line)
    missing = set(SETTINGS) - seen
    if missing:
        raise SystemExit(f"configure.py: the template lacks {sorted(missing)}")
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main()
