#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare_data.sh KIND: makes the seeded data of the tests, where it is not cached, before the first of them runs.
source "$(dirname "$0")/lib.sh"
[ -s "$(seeded_data "$1")/volumes.tar" ] || fail "there is no data"
passed
