// SPDX-License-Identifier: Apache-2.0
// Fuse: the place where a test cuts the power. Everything that can be cut in two passes it by name;
// it counts, and at the chosen number throws PowerCut, which nothing in the product catches. What
// the world keeps after a cut is decided by its owner (UnsyncedFiles::PowerOn and the like).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/error.h"

namespace mu::fakes {

struct PowerCut {
  int at = 0;
  std::string name;
};

class Fuse {
 public:
  // Cuts at the number-th boundary from now (from 1). 0: never.
  void CutAt(int number) { cut_at_ = number == 0 ? 0 : passed_ + number; }
  // The number-th boundary from now answers with this error instead.
  void FailAt(int number, Error error) { errors_[passed_ + number] = std::move(error); }
  // kLater: what may be called by a destructor, which cannot be cut; the boundary after it is.
  enum class Cut { kHere, kLater };
  // Counts one boundary. The returned error is the injected one, if any.
  const Error* Pass(std::string_view name, Cut cut = Cut::kHere) {
    ++passed_;
    names_.emplace_back(name);
    if (passed_ == cut_at_ && cut == Cut::kLater) ++cut_at_;
    if (passed_ == cut_at_) throw PowerCut{passed_, std::string(name)};
    const auto it = errors_.find(passed_);
    return it == errors_.end() ? nullptr : &it->second;
  }
  int Passed() const { return passed_; }
  const std::vector<std::string>& Names() const { return names_; }

 private:
  int passed_ = 0;
  int cut_at_ = 0;
  std::map<int, Error> errors_;
  std::vector<std::string> names_;
};

}  // namespace mu::fakes
