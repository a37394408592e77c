// SPDX-License-Identifier: Apache-2.0
// A temporary folder with fake programs in it, first on PATH while it lives. For adapter tests
// only.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace mu::adapters::test {

inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void Spill(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "mu-adapters-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(folder_ + "/bin");
    path_ = ::getenv("PATH");
    ::setenv("PATH", (folder_ + "/bin:" + path_).c_str(), 1);
  }
  ~Scratch() {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // A shell script of that name, first on PATH.
  void Program(const std::string& name, const std::string& script) const {
    const std::string path = folder_ + "/bin/" + name;
    Spill(path, "#!/bin/sh\n" + script + "\n");
    ::chmod(path.c_str(), 0755);
  }
  // PATH holds nothing but the fake programs.
  void OnlyOurPrograms() const { ::setenv("PATH", (folder_ + "/bin").c_str(), 1); }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace mu::adapters::test
