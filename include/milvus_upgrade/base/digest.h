// SPDX-License-Identifier: Apache-2.0
// SHA-256 as lower-case hex, whole or by parts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace mu {

std::string Sha256(std::string_view bytes);

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  std::string Finish();  // REQUIRES: called once, last

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mu
