#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh FOLDER: makes the root of the Kafka image in FOLDER (an empty one): Kafka from its Maven artifacts on a Java
# runtime cut to the modules it uses, one node in KRaft mode.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../lib.sh
source "$here/../../lib.sh"

root=$1
jdk=/usr/lib/jvm/java-17-openjdk-amd64
java_home=$root/opt/java

JAVA_HOME=$jdk mvn --quiet --batch-mode -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$root/opt/kafka/libs" 2>&1 | sed 's/\x1b\[0m//g' # it resets colours even without any
install -D -m 644 -t "$root/opt/kafka/conf" "$here/server.properties"
install -D -m 755 -t "$root/usr/bin" "$here/start"

"$jdk/bin/jlink" --no-header-files --no-man-pages --strip-debug --compress=1 --output "$java_home" \
  --add-modules java.base,java.logging,java.management,java.naming,java.security.jgss,java.security.sasl,java.sql,jdk.management,jdk.unsupported
ln -s /opt/java/bin/java "$root/usr/bin/java"
# The compression libraries inside the jars ask for the threads library by name.
small_root "$root" "$java_home/bin/java" "$java_home"/lib/*.so "$java_home"/lib/server/libjvm.so \
  /lib/x86_64-linux-gnu/libpthread.so.0
