// SPDX-License-Identifier: Apache-2.0
// Runs a fuzzer's function without libFuzzer: every file of a folder as it is, then mutations of
// them. The random numbers are fixed, so that a failure comes back; the input that was tried last
// is in the file `last-input` of the current folder when the function aborts.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string last_input;

void SaveLastInput(int) {
  if (std::FILE* file = std::fopen("last-input", "wb")) {
    std::fwrite(last_input.data(), 1, last_input.size(), file);
    std::fclose(file);
  }
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

void Try(const std::string& input) {
  last_input = input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string Mutated(const std::vector<std::string>& seeds, std::mt19937& random) {
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  std::string text = seeds[below(seeds.size())];
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        text.erase(at, 1 + below(4));
        break;
      case 2: {  // the same kind of character: stays nearly valid
        if (at == text.size()) break;
        const char c = text[at];
        if (c >= '0' && c <= '9') text[at] = static_cast<char>('0' + below(10));
        if (c >= 'a' && c <= 'z') text[at] = static_cast<char>('a' + below(26));
        break;
      }
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(12)));
        break;
      default: {
        const std::string& other = seeds[below(seeds.size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
      }
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS-FOLDER RUNS\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry);
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no inputs\n", argv[1]);
    return 2;
  }
  std::signal(SIGABRT, SaveLastInput);
  for (const std::string& seed : seeds) Try(seed);
  std::mt19937 random(20261125);
  const long runs = std::atol(argv[2]);
  for (long i = 0; i < runs; ++i) Try(Mutated(seeds, random));
  std::printf("%zu inputs, %ld mutations: every property held\n", seeds.size(), runs);
  return 0;
}
