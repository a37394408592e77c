// SPDX-License-Identifier: Apache-2.0
// The makers of the engines under test, one a file.
#pragma once

#include <memory>
#include <string>

#include "contract/engine_under_test.h"

namespace mu::contract {

std::string MakeFakeEngine(std::unique_ptr<EngineUnderTest>* engine);
std::string MakeRealEngine(std::unique_ptr<EngineUnderTest>* engine);

}  // namespace mu::contract
