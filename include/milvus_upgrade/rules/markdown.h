// SPDX-License-Identifier: Apache-2.0
// docs/rules.md as made from the tables of this part: rules of version paths, latest patches,
// reversibility, stop table, checks. Text only; writes nothing. A test keeps the page equal to it.
#pragma once

#include <string>

namespace mu::rules {

std::string RulesMarkdown();

}  // namespace mu::rules
