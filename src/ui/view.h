// SPDX-License-Identifier: Apache-2.0
// View: what a command says, once for people and once for programs. Views are made from values by
// pure functions (plan_view, findings_view, run_views, report); the console picks the form and the
// stream.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace mu::ui {

// Of every JSON object on stdout. Fields are only ever added under one number.
inline constexpr int kSchemaVersion = 1;

struct View {
  std::string text;          // whole lines
  boost::json::object json;  // members of the one object on stdout; no "schema_version", no
                             // "exit_code", no "error": the console adds those
};

}  // namespace mu::ui
